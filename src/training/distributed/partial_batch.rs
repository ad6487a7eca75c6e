//! The passes of a partial batch. Each rank has one part, or some of eight with
//! [`Reduction::Exact`](crate::distributed::Reduction::Exact).

use super::buckets::Buckets;
use super::partial_scores::{BatchSize, PartialScores};
use crate::diagnosis::Monitor;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::layer::GlobalBatch;
use crate::scalar::Scalar;
use crate::training::step::{BatchPasses, BatchStep, add_penalty_slopes};
use crate::training::update::each_trained;

/// The passes of the parts of this rank.
pub(crate) struct PartialBatch<'r, 'a, F> {
    pub(crate) ranks: &'r Ranks<'a>,
    pub(crate) buckets: &'r mut Buckets<F>,
    pub(crate) scores: &'r mut PartialScores<F>,
}

impl<F: Scalar> BatchPasses<F> for PartialBatch<'_, '_, F> {
    fn forward(
        &mut self,
        batch_step: &mut BatchStep<F>,
        mut monitor: Option<&mut Monitor<F>>,
    ) -> Result<f64> {
        let (samples, penalty) = (batch_step.batch.indices.len(), batch_step.model.weight_penalty());
        let (mut read, mut activities) = (Ok(()), 0.0);
        for part in self.ranks.parts(samples) {
            let global_batch = GlobalBatch::over(Some(self.ranks));
            read = read.and(batch_step.forward_rows(part, global_batch));
            let BatchStep { trainer, model, batch, scores } = &mut *batch_step;
            let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
            let activity = trainer.workspace.activity_penalty(&model.layers, batch.x(&trainer.rows));
            activities += activity;
            let targets = batch.targets(&trainer.rows);
            self.scores.add_part(scores, &*compiled.loss, trainer.output(*batch), targets, activity);
            if let Some(monitor) = &mut monitor {
                let counted = scores.included(trainer.output(*batch), targets);
                monitor.count_targets(counted.y, counted.weights);
            }
        }
        let BatchStep { trainer, batch, scores, .. } = batch_step;
        let size = BatchSize::new(samples, batch.data);
        let loss = self.scores.end_batch(scores, size, penalty, read, self.ranks)?;
        // The diagnosis counts all targets, but samples only the last part of each rank.
        if let Some(monitor) = monitor.filter(|_| loss.is_finite()) {
            let x = batch.x(&trainer.rows);
            monitor.end_batch(loss, penalty, activities);
            if monitor.is_sampled() && x.rows() > 0 {
                let y = batch.targets(&trainer.rows).y;
                monitor.forward(&trainer.workspace, x, y, loss, penalty + activities);
                if x.rows() == 1 {
                    monitor.saw_one_row();
                }
            }
        }
        Ok(loss)
    }

    /// Sums the gradients over parts and ranks, then adds the regularization gradients once.
    fn backward(&mut self, batch_step: &mut BatchStep<F>) -> Result<()> {
        if self.ranks.is_exact() {
            self.exact_gradients(batch_step)?;
        } else {
            batch_step.loss_gradient()?;
            let BatchStep { trainer, model, batch, .. } = &mut *batch_step;
            let (lowest, global_batch) = (trainer.lowest, GlobalBatch::over(Some(self.ranks)));
            let (workspace, x) = (&mut trainer.workspace, batch.x(&trainer.rows));
            self.buckets.sum(model, lowest, self.ranks, |model, layer| {
                workspace.backward(&mut model.layers, x, layer..layer + 1, layer > lowest, global_batch);
            })?;
        }
        add_penalty_slopes(batch_step.model);
        Ok(())
    }

    fn first_non_finite(&self, own: Option<(usize, String)>) -> Result<Option<(usize, String)>> {
        self.ranks.broadcast(self.ranks.gather(own)?.into_iter().flatten().min())
    }
}

impl<F: Scalar> PartialBatch<'_, '_, F> {
    /// The gradients of all parts, summed in a fixed tree.
    fn exact_gradients(&mut self, batch_step: &mut BatchStep<F>) -> Result<()> {
        let (mut own, mut len) = (Vec::new(), 0);
        each_trained(&mut batch_step.model.layers, &mut |param| len += param.len());
        let samples = batch_step.batch.indices.len();
        let several = self.ranks.parts(samples).count() > 1;
        for part in self.ranks.parts(samples) {
            let global_batch = GlobalBatch::over(Some(self.ranks));
            if several {
                // A layer keeps the context of the last part only.
                batch_step.forward_rows(part, global_batch)?;
            }
            batch_step.loss_gradient()?;
            let BatchStep { trainer, model, batch, .. } = &mut *batch_step;
            let (x, all) = (batch.x(&trainer.rows), trainer.lowest..model.layers.len());
            trainer.workspace.backward(&mut model.layers, x, all, false, global_batch);
            let mut flat = Vec::with_capacity(len);
            each_trained(&mut model.layers, &mut |param| flat.extend_from_slice(param.grad_mut()));
            own.push(flat);
        }
        self.ranks.check()?;
        let sums = self.ranks.total(own, len)?;
        let mut rest = &sums[..];
        each_trained(&mut batch_step.model.layers, &mut |param| {
            let (grad, others) = rest.split_at(param.len());
            param.grad_mut().copy_from_slice(grad);
            rest = others;
        });
        Ok(())
    }
}
