//! Sums the gradients over all ranks in buckets. Each bucket is sent when the backward pass has filled it, while the
//! pass continues below.

use std::ops::Range;

use crate::distributed::Ranks;
use crate::error::{Error, RankFault, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::training::update::each_trained;

/// The buffers of these sums, reused by the next step.
pub(crate) struct Buckets<F>(Vec<Vec<F>>);

impl<F: Scalar> Buckets<F> {
    pub(crate) fn new() -> Self {
        Buckets(Vec::new())
    }

    /// Runs `backward` on each layer from the last down to `lowest`, and replaces their gradients by the sums over all
    /// ranks.
    pub(crate) fn sum(
        &mut self,
        model: &mut Sequential<F>,
        lowest: usize,
        ranks: &Ranks,
        mut backward: impl FnMut(&mut Sequential<F>, usize),
    ) -> Result<()> {
        let size = ranks.bucket::<F>();
        let mut under_way = Vec::new();
        let mut end = model.layers.len();
        let mut bucket = self.empty();
        for layer in (lowest..end).rev() {
            backward(model, layer);
            each_trained(&mut model.layers[layer..=layer], &mut |param| {
                bucket.extend_from_slice(param.grad_mut())
            });
            // There is nothing left to overlap with the last bucket.
            if bucket.len() >= size && layer > lowest {
                let full = std::mem::replace(&mut bucket, self.empty());
                under_way.push((layer..end, ranks.start_sum(full)?));
                end = layer;
            }
        }
        ranks.check()?;
        ranks.sum(&mut bucket)?;
        self.take_back(model, lowest..end, bucket);
        for (layers, sum) in under_way {
            let mixed = || {
                Error::from(RankFault::Failed {
                    rank: ranks.rank(),
                    cause: "a sum came back as another type".into(),
                })
            };
            let sums = F::from_owned_numbers(sum.finish()?).ok_or_else(mixed)?;
            self.take_back(model, layers, sums);
        }
        Ok(())
    }

    fn empty(&mut self) -> Vec<F> {
        self.0.pop().unwrap_or_default()
    }

    /// Copies the sums back into the gradients of the layers, from the last to the first.
    fn take_back(&mut self, model: &mut Sequential<F>, layers: Range<usize>, mut sums: Vec<F>) {
        let mut rest = &sums[..];
        for layer in layers.rev() {
            each_trained(&mut model.layers[layer..=layer], &mut |param| {
                let (grad, others) = rest.split_at(param.len().min(rest.len()));
                param.grad_mut().copy_from_slice(grad);
                rest = others;
            });
        }
        sums.clear();
        self.0.push(sums);
    }
}
