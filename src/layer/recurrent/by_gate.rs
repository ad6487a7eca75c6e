//! Products in which each gate reads its own copy of the input, one copy after another. With a single copy for all
//! gates they are ordinary products.

use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// `y = x·w + b`, with this many copies of `x`.
pub(super) fn affine<F: Scalar>(x: &[F], copies: usize, w: Batch<F>, b: Option<&[F]>, mut y: BatchMut<F>) {
    let inputs = w.rows();
    if copies == 1 {
        return kernel::affine(Batch::new(x, inputs), w, b, y);
    }
    let (u, len) = (w.width() / copies, x.len() / copies);
    kernel::with_memory(inputs * u + y.rows() * u, |memory: &mut [F]| {
        let (part, out) = memory.split_at_mut(inputs * u);
        for (gate, x) in x.chunks_exact(len.max(1)).enumerate() {
            pick(w, gate, u, part);
            let b = b.map(|b| &b[gate * u..][..u]);
            kernel::affine(Batch::new(x, inputs), Batch::new(part, u), b, BatchMut::new(out, u));
            put(out, gate, u, y.reborrow());
        }
    });
}

/// `dw = xᵀ·dy`, with this many copies of `x`.
pub(super) fn affine_weights<F: Scalar>(x: &[F], copies: usize, dy: Batch<F>, mut dw: BatchMut<F>) {
    let inputs = dw.rows();
    if copies == 1 {
        return kernel::affine_weights(Batch::new(x, inputs), dy, dw);
    }
    let (u, len) = (dy.width() / copies, x.len() / copies);
    kernel::with_memory(inputs * u + dy.rows() * u, |memory: &mut [F]| {
        let (out, part) = memory.split_at_mut(inputs * u);
        for (gate, x) in x.chunks_exact(len.max(1)).enumerate() {
            pick(dy, gate, u, part);
            kernel::affine_weights(Batch::new(x, inputs), Batch::new(part, u), BatchMut::new(out, u));
            put(out, gate, u, dw.reborrow());
        }
    });
}

/// `dx = dy·wᵀ`, with this many copies of `dx`.
pub(super) fn affine_input<F: Scalar>(dy: Batch<F>, w: Batch<F>, dx: &mut [F], copies: usize) {
    let inputs = w.rows();
    if copies == 1 {
        return kernel::affine_input(dy, w, BatchMut::new(dx, inputs));
    }
    let (u, len) = (w.width() / copies, dx.len() / copies);
    kernel::with_memory(inputs * u + dy.rows() * u, |memory: &mut [F]| {
        let (weights, part) = memory.split_at_mut(inputs * u);
        for (gate, dx) in dx.chunks_exact_mut(len.max(1)).enumerate() {
            pick(w, gate, u, weights);
            pick(dy, gate, u, part);
            kernel::affine_input(Batch::new(part, u), Batch::new(weights, u), BatchMut::new(dx, inputs));
        }
    });
}

/// Copies the columns of a gate.
pub(super) fn pick<F: Scalar>(from: Batch<F>, gate: usize, u: usize, to: &mut [F]) {
    let rows = to.chunks_exact_mut(u).zip(from.iter());
    rows.for_each(|(to, from)| to.copy_from_slice(&from[gate * u..][..u]));
}

/// Copies the columns of a gate back.
pub(super) fn put<F: Scalar>(from: &[F], gate: usize, u: usize, mut to: BatchMut<F>) {
    let rows = to.iter_mut().zip(from.chunks_exact(u));
    rows.for_each(|(to, from)| to[gate * u..][..u].copy_from_slice(from));
}
