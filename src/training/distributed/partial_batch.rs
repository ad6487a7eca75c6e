//! A step of training on a batch that is cut into parts, of which each rank has one, or with
//! [`Reduction::Exact`](crate::distributed::Reduction::Exact) some of eight.

use crate::diagnosis::Watch;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::layer::GlobalBatch;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::data::{CheckedData, RunningScores};
use crate::training::step::{Trainer, add_penalty_slopes, first_bad_gradient, targets};
use crate::training::update::each_trained;

impl<F: Scalar> Trainer<F> {
    /// Passes this rank's parts of the samples forward, and gives the loss of all, which has this `penalty` of weights.
    pub(crate) fn forward_parts(
        &mut self,
        model: &mut Sequential<F>,
        data: &CheckedData<F>,
        (indices, mut watch): (&[usize], Option<&mut Watch<F>>),
        measure: &mut RunningScores<F>,
        penalty: f64,
        ranks: &Ranks,
    ) -> Result<f64> {
        let (mut read, mut activities) = (Ok(()), 0.0);
        for part in ranks.parts(indices.len()) {
            read = read.and(self.pass(model, data, indices, part, Some(ranks)));
            let Some(compiled) = &model.compiled else { return Err(Error::NotCompiled) };
            let x = Batch::new(&self.rows.x, data.width());
            let y_pred = self.workspace.output(x).reshape(self.workspace.output(x).width() / data.steps);
            let activity = self.workspace.activity_penalty(&model.layers, x);
            activities += activity;
            let targets = targets(data, &self.rows, indices);
            measure.take_part(&*compiled.loss, y_pred, targets, activity);
            if let Some(watch) = &mut watch {
                watch.count_targets(targets.y, targets.weights);
            }
        }
        let size = (indices.len(), data.steps);
        let loss = measure.take_whole(size, data.weights.is_some(), penalty, (ranks, read))?;
        // The diagnosis counts all targets, and looks at the last of the parts of each rank.
        if let Some(watch) = watch.filter(|_| loss.is_finite()) {
            let x = Batch::new(&self.rows.x, data.width());
            let targets = targets(data, &self.rows, indices);
            watch.batch_ends(loss);
            if watch.looks() && x.rows() > 0 {
                watch.forward(&self.workspace, x, targets.y, loss, penalty + activities);
                if x.rows() == 1 {
                    watch.saw_one_row();
                }
            }
        }
        Ok(loss)
    }

    /// The gradients of the whole batch, summed over parts and ranks, and then those of regularizers, once. Tells one that
    /// is not finite.
    pub(crate) fn backward_parts(
        &mut self,
        model: &mut Sequential<F>,
        data: &CheckedData<F>,
        indices: &[usize],
        measure: &mut RunningScores<F>,
        ranks: &Ranks,
    ) -> Result<Option<(String, f64)>> {
        match ranks.is_exact() {
            true => self.exact_gradients(model, data, indices, measure, ranks)?,
            false => {
                self.loss_gradient(model, data, indices, measure)?;
                let (x, lowest, whole) =
                    (Batch::new(&self.rows.x, data.width()), self.lowest, GlobalBatch::over(Some(ranks)));
                let (workspace, buckets) = (&mut self.workspace, &mut self.buckets);
                buckets.sum(model, lowest, ranks, |model, layer| {
                    workspace.backward(&mut model.layers, x, layer..layer + 1, layer > lowest, whole);
                })?;
            }
        }
        add_penalty_slopes(model);
        Ok(first_bad_gradient(&model.layers, 0))
    }
    /// The gradients of all parts, summed in a fixed tree.
    fn exact_gradients(
        &mut self,
        model: &mut Sequential<F>,
        data: &CheckedData<F>,
        indices: &[usize],
        measure: &mut RunningScores<F>,
        ranks: &Ranks,
    ) -> Result<()> {
        let (mut own, mut len) = (Vec::new(), 0);
        each_trained(model, &mut |param| len += param.len());
        let several = ranks.parts(indices.len()).count() > 1;
        for part in ranks.parts(indices.len()) {
            if several {
                // What a layer keeps for its gradient is that of the last part.
                self.pass(model, data, indices, part, Some(ranks))?;
            }
            self.loss_gradient(model, data, indices, measure)?;
            let (x, all) = (Batch::new(&self.rows.x, data.width()), self.lowest..model.layers.len());
            self.workspace.backward(&mut model.layers, x, all, false, GlobalBatch::over(Some(ranks)));
            let mut flat = Vec::with_capacity(len);
            each_trained(model, &mut |param| flat.extend_from_slice(&param.grad));
            own.push(flat);
        }
        ranks.check()?;
        let sums = ranks.total(own, len)?;
        let mut rest = &sums[..];
        each_trained(model, &mut |param| {
            let (grad, others) = rest.split_at(param.len());
            param.grad.copy_from_slice(grad);
            rest = others;
        });
        Ok(())
    }
}
