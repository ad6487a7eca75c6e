//! Rules about ranks with their own data: one rank that differs from the others.

use super::super::evidence::{Evidence, Feature, Shard};
use super::super::finding::{Finding, Severity};
use super::{if_failing, short};

/// Standard deviations that differ by this factor, or means this many standard deviations apart, are another scale.
const FAR: f64 = 5.0;
/// The number of rows for a sufficient estimate of mean and standard deviation.
const ROWS: usize = 8;
/// The expected number of rows of a class in a shard, above which chance does not explain that there are none (e⁻¹⁰).
const EXPECTED: f64 = 10.0;

/// Raises N0209.
pub(in crate::diagnosis) fn another_scale(e: &Evidence) -> Option<Finding> {
    if e.data.indices {
        return None;
    }
    let known: Vec<(usize, &Shard)> =
        e.data.shards.iter().enumerate().filter(|(_, shard)| shard.sampled_rows >= ROWS).collect();
    let features = known.iter().map(|(_, shard)| shard.features.len()).min()?;
    let far = |a: Feature, b: Feature| {
        let (small, large) = (a.deviation.min(b.deviation), a.deviation.max(b.deviation));
        large > FAR * small || (a.mean - b.mean).abs() > FAR * large
    };
    // A rank differs in a feature if it differs from most other ranks, so that at most one rank can differ.
    let unlike = |own: usize, place: usize| {
        let others = known.iter().filter(|(rank, _)| *rank != own);
        let one = e.data.shards[own].features[place];
        let count = others.filter(|(_, other)| far(one, other.features[place])).count();
        2 * count > known.len() - 1
    };
    let varying = (0..features)
        .filter(|place| known.iter().any(|(_, shard)| shard.features[*place].deviation > 0.0))
        .collect::<Vec<_>>();
    let found = known.iter().filter_map(|&(rank, shard)| {
        let count = varying.iter().filter(|place| unlike(rank, **place)).count();
        (2 * count > varying.len()).then_some((rank, shard, count))
    });
    // Of two ranks either may be wrong: this picks the one whose size is further from 1.
    let size = |shard: &Shard| whole(&[shard]).rms().max(1e-300).ln().abs();
    let (rank, shard, count) =
        found.max_by(|a, b| a.2.cmp(&b.2).then(size(a.1).total_cmp(&size(b.1))).then(b.0.cmp(&a.0)))?;
    let others: Vec<&Shard> = known.iter().filter(|(other, _)| *other != rank).map(|(_, s)| *s).collect();
    let (own, all) = (whole(&[shard]), whole(&others));
    Some(
        Finding::draft(format!("the inputs of rank {rank} have a different scale"))
            .evidence(format!(
                "mean {}, standard deviation {} in {} sampled rows; other ranks: mean {}, standard deviation {}",
                short(own.mean), short(own.deviation), shard.sampled_rows, short(all.mean), short(all.deviation)
            ))
            .evidence(format!(
                "{count} of {} varying features: the mean differs by more than {} standard deviations, or the standard deviation by a factor of more than {}",
                varying.len(), short(FAR), short(FAR)
            ))
            .suggestion("check how that rank reads its data: its units or its scaling may differ")
            .suggestion(
                "scale all shards the same way: add `Normalization::new().adapt_distributed(&x, world)?` as the first layer on every rank",
            ),
    )
}

/// Mean and standard deviation over all features of some shards.
fn whole(shards: &[&Shard]) -> Feature {
    let all = || shards.iter().flat_map(|shard| &shard.features);
    let count = all().count().max(1) as f64;
    let mean = all().map(|feature| feature.mean).sum::<f64>() / count;
    let square = all().map(|feature| feature.deviation.powi(2) + (feature.mean - mean).powi(2)).sum::<f64>();
    Feature { mean, deviation: (square / count).sqrt() }
}

/// Raises N0210.
pub(in crate::diagnosis) fn missing_class(e: &Evidence) -> Option<Finding> {
    let shards = &e.data.shards;
    let classes = shards.iter().map(|shard| shard.classes.len()).max()?;
    let of = |shard: &Shard| shard.classes.iter().sum::<usize>();
    let total: usize = shards.iter().map(of).sum();
    let mut missing = Vec::new();
    for class in 0..classes {
        let rows: usize = shards.iter().filter_map(|shard| shard.classes.get(class)).sum();
        for (rank, shard) in
            shards.iter().enumerate().filter(|(_, shard)| shard.classes.get(class) == Some(&0))
        {
            if of(shard) as f64 * rows as f64 / total.max(1) as f64 >= EXPECTED {
                missing.push((rank, class, of(shard), rows));
            }
        }
    }
    let &(rank, class, ..) = missing.first()?;
    let title = format!("rank {rank} has no row of class {class}");
    let mut finding = Finding::draft(title).at_most(if_failing(e, Severity::Warning));
    for (rank, class, own, rows) in missing.iter().take(3) {
        finding = finding.evidence(format!(
            "class {class}: 0 of {own} rows on rank {rank}, {rows} of {total} on all ranks"
        ));
    }
    if missing.len() > 3 {
        finding = finding.evidence(format!("{} more classes are missing on a rank", missing.len() - 3));
    }
    Some(
        finding
            .suggestion("check that the rank reads all of its files and that all ranks number the classes the same way: fit one `LabelEncoder` on the labels of all ranks")
            .suggestion("shuffle the rows before you distribute them, for example with `distributed::scatter`; an intended distribution is harmless, because each batch takes rows from all ranks"),
    )
}
