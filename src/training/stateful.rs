//! What models with stateful layers need of a training: batches of as many rows, in order, on one rank.

use super::settings::Fit;
use crate::distributed::RankSettings;
use crate::error::{Error, Result};
use crate::model::{Sequential, StatefulBatches};
use crate::scalar::Scalar;

/// The samples of a training or an evaluation.
#[derive(Clone, Copy)]
pub(super) struct BatchPlan {
    pub(super) samples: usize,
    pub(super) batch_size: usize,
    /// Whether samples differ in length, so that batches are not in order.
    pub(super) differs: bool,
}

impl BatchPlan {
    /// The rows of a batch.
    fn rows(self) -> usize {
        self.batch_size.min(self.samples)
    }
}

/// Refuses settings of a fit with which a batch would not continue the one before.
pub(super) fn check_fit<F: Scalar>(
    model: &Sequential<F>,
    settings: &Fit<F>,
    training: BatchPlan,
    held_out: Option<BatchPlan>,
) -> Result<()> {
    let Some(mut batches) = model.stateful_batches() else { return Ok(()) };
    if settings.shuffle {
        let expected =
            format!("false, to train the stateful layer `{}` on batches in order", batches.layer());
        return Err(Error::argument("shuffle", expected, true));
    }
    check(&batches, "batch_size", training, settings.ranks)?;
    batches.fix(training.rows());
    held_out.map_or(Ok(()), |held_out| check(&batches, "validation_batch_size", held_out, settings.ranks))
}

/// Refuses an evaluation in which a batch would not continue the one before.
pub(super) fn check_evaluation<F: Scalar>(
    model: &Sequential<F>,
    plan: BatchPlan,
    ranks: RankSettings,
) -> Result<()> {
    model.stateful_batches().map_or(Ok(()), |batches| check(&batches, "batch_size", plan, ranks))
}

/// `argument` is the setter of the batch size.
fn check(
    batches: &StatefulBatches,
    argument: &'static str,
    plan: BatchPlan,
    ranks: RankSettings,
) -> Result<()> {
    if ranks.world.is_some() {
        let expected = format!("one rank, for the stateful layer `{}`", batches.layer());
        return Err(Error::argument("distributed", expected, "several ranks"));
    }
    if plan.differs {
        let expected = format!("samples of one length, for the stateful layer `{}`", batches.layer());
        return Err(Error::argument("source", expected, "samples of different lengths"));
    }
    batches.check_rows(argument, plan.rows())?;
    if plan.samples.is_multiple_of(plan.rows()) {
        return Ok(());
    }
    let why = format!(
        "row i of a batch continues row i of the one before, in the stateful layer `{}`",
        batches.layer()
    );
    Err(Error::argument("x", format!("a multiple of {} samples: {why}", plan.rows()), plan.samples))
}
