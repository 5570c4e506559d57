// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum ProductRows {
  static var matmul: [OperationRow] {
    let shapes: [(Shape, Shape)] = [
      ([2, 3], [3, 4]), ([1, 5], [5, 1]), ([0, 3], [3, 2]), ([2, 0], [0, 3]), ([2, 3, 4], [4, 5]),
      ([2, 3, 4], [2, 4, 5]), ([3, 4], [2, 4, 5]), ([2, 1, 3, 2], [5, 2, 3]), ([7, 33], [33, 9]),
    ]
    return shapes.map { a, b in
      OperationRow("matmul \(a) \(b)", covers: ["matmul"], [Input(a), Input(b)]) {
        Kasane.matmul($0[0], $0[1])
      }
    }
  }

  static var vectorProducts: [OperationRow] {
    let shapes: [(Shape, Shape)] = [
      ([3], [3]), ([3], [3, 2]), ([2, 3], [3]), ([2, 4, 3], [3]), ([3], [2, 3, 4]), ([0], [0]),
    ]
    return shapes.map { a, b in
      OperationRow("matmul \(a) \(b)", covers: ["matmul"], [Input(a), Input(b)]) {
        Kasane.matmul($0[0], $0[1])
      }
    } + [
      OperationRow("dot", covers: ["dot"], [Input([7]), Input([7])]) { dot($0[0], $0[1]) },
      OperationRow("outer", covers: ["outer"], [Input([3]), Input([4])], dtypes: .numbers) {
        outer($0[0], $0[1])
      },
    ]
  }

  static var einsum: [OperationRow] {
    let cases: [(String, [Shape])] = [
      ("ij,jk->ik", [[2, 3], [3, 4]]),
      ("bij,bjk->bik", [[2, 3, 4], [2, 4, 2]]),
      ("bthd,bshd->bhts", [[2, 3, 2, 4], [2, 5, 2, 4]]),
      ("ii->i", [[3, 3]]),
      ("ii", [[3, 3]]),
      ("iji->j", [[3, 2, 3]]),
      ("ij->", [[2, 3]]),
      ("...ij->...ji", [[2, 3, 4]]),
      ("ba", [[2, 3]]),
      ("i,j", [[3], [4]]),
      ("i,i->i", [[4], [4]]),
      ("ij,ij->i", [[2, 3], [2, 3]]),
      ("...ij,...jk->...ik", [[2, 1, 2, 3], [4, 3, 2]]),
      ("ij,jk,kl->il", [[2, 3], [3, 4], [4, 2]]),
      ("ijk,kl,jm->lm", [[2, 3, 4], [4, 5], [3, 2]]),
      ("ij,j", [[2, 3], [3]]),
      ("ijkl,ijkl->", [[2, 2, 3, 2], [2, 2, 3, 2]]),
      ("i...,i...->...", [[3, 2, 4], [3, 4]]),
      ("ij,kl->ijkl", [[2, 3], [2, 2]]),
      ("iij,jk->ik", [[3, 3, 2], [2, 4]]),
      ("ij,jk->ki", [[2, 0], [0, 3]]),
    ]
    return cases.map { formula, shapes in
      OperationRow("einsum \(formula)", covers: ["einsum"], shapes.map { Input($0) }) {
        square(Kasane.einsum(formula, $0))
      }
    }
  }
}
