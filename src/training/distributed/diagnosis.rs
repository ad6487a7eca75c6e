//! One diagnosis for all ranks: each samples its own rows, and rank 0 runs the rules.

use crate::diagnosis::{Data, Monitor, Repeats, Shard};
use crate::distributed::Ranks;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::data::Rows;
use crate::training::diagnosis::sampling::{FEW, LEAST, NUMBERS, ROWS, Sampling, sample};

/// Creates the monitor of this rank. That of rank 0 samples the data of all ranks, which have `total` training rows.
pub(crate) fn shared_monitor<F: Scalar>(
    sampling: Sampling<F>,
    total: usize,
    rows: &mut Rows<F>,
    ranks: &Ranks,
) -> Result<Monitor<F>> {
    let layers = &sampling.model.layers;
    let (sampled_batches, target_statistics) = (sampling.budget.sampled, sampling.target_statistics(total)?);
    let plan = sampling.plan.clone();
    let monitor = match (ranks.is_sharded(), ranks.is_first()) {
        (true, first) => {
            let facts = facts(&sampling, total, rows, ranks)?;
            let target_statistics = sampling.target_statistics(total)?;
            first.then(|| Monitor::new(layers, plan.clone(), facts, target_statistics, sampled_batches))
        }
        (false, true) => ranks.agree_with_first(sampling.monitor(rows).map(Some))?,
        (false, false) => ranks.agree_with_first(Ok(None))?,
    };
    let sampled_batches = ranks.broadcast(monitor.as_ref().map_or(0, |monitor| monitor.sampled_batches))?;
    let classes = ranks.broadcast(monitor.as_ref().map_or(0, Monitor::classes))?;
    Ok(monitor
        .unwrap_or_else(|| Monitor::follower(layers, plan, target_statistics, sampled_batches, classes)))
}

/// The evidence about the data of all ranks, sampled from each shard in proportion to its size, and that of each shard.
/// On rank 0 only.
fn facts<F: Scalar>(sampling: &Sampling<F>, total: usize, rows: &mut Rows<F>, ranks: &Ranks) -> Result<Data> {
    let Sampling { model, plan, budget, data, train, .. } = sampling;
    let train = *train;
    let (width, target) = (data.width().max(1), data.target * data.steps);
    // Even the smallest quota has enough rows to compare.
    let least = if data.is_source() { FEW } else { LEAST.max(16 * ranks.size()) };
    let most = if data.is_source() { FEW } else { ROWS.max(least) };
    let wanted = (budget.numbers / (width + target)).clamp(least, most);
    let wanted = wanted.min((NUMBERS / width).max(16)).min(total);
    let own = (wanted as f64 * train as f64 / total as f64).ceil() as usize;
    ranks.agree(data.gather(None, &sample(train, own), rows))?;
    let shards = ranks.gather(Shard::of(train, Batch::new(&rows.x, width)).to_numbers())?;
    let counts = ranks.gather(rows.x.len() / width)?;
    let of = |rank: usize| counts.get(rank).copied().unwrap_or(0);
    let x = ranks.gather_numbers(&rows.x, &|rank| of(rank) * width)?;
    let y = ranks.gather_numbers(&rows.y, &|rank| of(rank) * target)?;
    let mut facts = Data {
        rows: total,
        shape: model.input_shape().unwrap_or_default().to_vec(),
        indices: model.indices().is_some(),
        shards: shards.iter().map(|numbers| Shard::from_numbers(numbers)).collect(),
        ..Data::default()
    };
    if ranks.is_first() {
        let (x, y) = (Batch::new(&x, width), Batch::new(&y, data.target));
        facts.sample_inputs(x);
        facts.sample_targets(plan.task, sampling.outputs(), y);
        // Interleave the shards, so that each batch takes rows from all of them.
        facts.sorted = false;
        if data.steps == 1 && budget.compared >= 16 {
            facts.repeats = Repeats::of(x, y, plan.task, None);
        }
    }
    Ok(facts)
}
