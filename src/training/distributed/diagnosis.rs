//! The diagnosis of a training on several ranks: all look, each at its own rows, and rank 0 judges and tells.

use crate::diagnosis::{Data, Diagnose, Plan, Repeats, Shard, Tally, Watch};
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::data::{CheckedData, Rows};
use crate::training::diagnosis::Diagnosis;
use crate::training::diagnosis::sampling::{self, Budget, FEW, LEAST, NUMBERS, ROWS, plan, sample};
use crate::training::epochs::Training;
use crate::training::fit::Run;
use crate::training::settings::Fit;

impl<'f, F: Scalar> Diagnosis<'f, F> {
    /// The diagnosis that the settings ask for, on each of several ranks.
    pub(crate) fn together(
        model: &Sequential<F>,
        run: &Run<F>,
        validation: Option<(&CheckedData<F>, usize)>,
        settings: &'f Fit<F>,
        rows: &mut Rows<F>,
        ranks: &Ranks,
    ) -> Result<Option<Self>> {
        if settings.diagnose == Diagnose::Off {
            return Ok(None);
        }
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let (total, data) = (run.total(), &run.data);
        let epochs = settings.epochs.saturating_sub(settings.initial_epoch);
        let plan = plan(model, compiled, (epochs, settings.batch_size, total), settings.shuffle);
        let budget = Budget::of(model, &plan, total, data);
        let task = plan.task;
        let outputs = model.output_shape().and_then(|shape| shape.last().copied()).unwrap_or(1);
        let tally = || Tally::new(compiled.loss.clone(), task, outputs, (total * data.steps, data.target));
        let watch = match (ranks.is_sharded(), ranks.is_first()) {
            (true, first) => {
                let facts = facts(model, &plan, run, budget, rows, ranks)?;
                first.then(|| Watch::new(&model.layers, plan.clone(), facts, tally(), budget.looks))
            }
            (false, true) => {
                let train = (data, run.train);
                let watch = sampling::watch(model, compiled, plan.clone(), train, validation, budget, rows);
                ranks.agree_with_first(watch.map(Some))?
            }
            (false, false) => ranks.agree_with_first(Ok(None))?,
        };
        let terms = ranks.tell(watch.as_ref().map_or((0, 0), Watch::terms))?;
        let follows = watch.is_none();
        let follower = || Watch::follower(&model.layers, plan, tally(), terms);
        Ok(Some(Diagnosis::by(watch.unwrap_or_else(follower), settings, follows)))
    }
}

/// Facts of the data of all ranks, on rank 0, from samples of each shard by its share; and what each of them has.
fn facts<F: Scalar>(
    model: &Sequential<F>,
    plan: &Plan,
    run: &Run<F>,
    budget: Budget,
    rows: &mut Rows<F>,
    ranks: &Ranks,
) -> Result<Data> {
    let (total, train, data) = (run.total(), run.train, &run.data);
    let (width, target) = (data.width().max(1), data.target * data.steps);
    // So many that each shard of an even share has enough to be compared.
    let least = if data.is_source() { FEW } else { LEAST.max(16 * ranks.size()) };
    let most = if data.is_source() { FEW } else { ROWS.max(least) };
    let wanted = (budget.numbers / (width + target)).clamp(least, most);
    let wanted = wanted.min((NUMBERS / width).max(16)).min(total);
    let own = (wanted as f64 * train as f64 / total as f64).ceil() as usize;
    ranks.agree(data.gather(None, &sample(train, own), rows))?;
    let shards = ranks.gather(Shard::of(train, Batch::new(&rows.x, width)).parts())?;
    let counts = ranks.gather(rows.x.len() / width)?;
    let of = |rank: usize| counts.get(rank).copied().unwrap_or(0);
    let x = ranks.gather_numbers(&rows.x, &|rank| of(rank) * width)?;
    let y = ranks.gather_numbers(&rows.y, &|rank| of(rank) * target)?;
    let mut facts = Data {
        rows: total,
        shape: model.input_shape().unwrap_or_default().to_vec(),
        indices: model.indices().is_some(),
        shards: shards.into_iter().map(Shard::of_parts).collect(),
        ..Data::default()
    };
    if ranks.is_first() {
        let outputs = model.output_shape().and_then(|shape| shape.last().copied()).unwrap_or(1);
        let (x, y) = (Batch::new(&x, width), Batch::new(&y, data.target));
        facts.look_inputs(x);
        facts.look_targets(plan.task, outputs, y);
        // Each batch takes from all shards, whatever the order of the ranks.
        facts.sorted = false;
        if data.steps == 1 && budget.compared >= 16 {
            facts.repeats = Repeats::of(x, y, plan.task, None);
        }
    }
    Ok(facts)
}

impl<F: Scalar> Training<'_, '_, F> {
    /// Rank 0 takes what all have seen of the epoch.
    pub(crate) fn look_together(&mut self) -> Result<()> {
        let (Some(ranks), Some(diagnosis)) = (&self.ranks, &mut self.diagnosis) else { return Ok(()) };
        let watch = &mut diagnosis.watch;
        let seen = if ranks.is_first() { Ok(Vec::new()) } else { watch.hand_over() };
        let mut all = ranks.gather(ranks.agree(seen)?)?;
        let taken = if all.is_empty() { Ok(()) } else { watch.take_together(all.split_off(1)) };
        ranks.agree_with_first(taken)
    }
}
