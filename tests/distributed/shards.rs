//! Data of which each rank has its own shard: training, evaluation, and scattering from one rank.

use cornu::diagnosis::Diagnose;
use cornu::distributed::{Communicator, Reduction, ThreadRank, scatter, threads, together};
use cornu::ndarray::{Array1, Array2, Array3, ArrayD, Axis, IxDyn, s};
use cornu::prelude::*;

/// Three clusters in four dimensions.
fn clouds() -> (Array2<f64>, Array1<usize>) {
    let mut rng = Rng::new(9);
    let y = Array1::from_iter((0..43).map(|i| i * i % 3));
    let x = Array2::from_shape_fn((43, 4), |(i, j)| if j == y[i] { 2.0 } else { 0.0 } + 0.7 * rng.normal());
    (x, y)
}

/// The number of rows of each rank.
const SPLITS: [&[usize]; 6] =
    [&[43], &[22, 21], &[7, 30, 6], &[0, 43], &[20, 0, 3, 20], &[1, 1, 1, 1, 1, 1, 37]];

/// The rows of this rank.
fn own<D: cornu::ndarray::RemoveAxis, A: Clone>(
    all: &cornu::ndarray::Array<A, D>,
    split: &[usize],
    rank: usize,
) -> cornu::ndarray::Array<A, D> {
    let start: usize = split[..rank].iter().sum();
    all.slice_axis(Axis(0), (start..start + split[rank]).into()).to_owned()
}

fn network() -> Sequential<f64> {
    let mut model = Sequential::with_scalar()
        .seed(4)
        .add(Dense::new(8).activation(Activation::Tanh).kernel_regularizer(Regularizer::L2(1e-3)))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.2))
        .add(Dense::new(3).activation(Activation::Softmax));
    let metrics = (Accuracy::new(), F1Score::new(), Weighted::new(Accuracy::new()));
    model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), metrics).unwrap();
    model
}

fn fit<'w>() -> Fit<'w, f64> {
    Fit::new().epochs(4).batch_size(8).verbose(Verbose::Silent)
}

fn in_order<'w>() -> Fit<'w, f64> {
    fit().shuffle(false).class_weight(ClassWeight::Balanced)
}

/// All numbers that a training results in.
fn numbers(model: &Sequential<f64>, history: &History) -> Vec<f64> {
    let series = history.names().flat_map(|name| history.get(name).unwrap().to_vec()).collect::<Vec<_>>();
    let weights = model.weights().unwrap();
    series
        .into_iter()
        .chain(weights.iter().flat_map(|(_, array)| array.iter().copied().collect::<Vec<_>>()))
        .collect()
}

/// The indices of the rows of these shards in an epoch without shuffling, batch by batch: row j of n has the position
/// (2j + 1) / 2n, and within a batch the rows of lower ranks come first.
fn order(split: &[usize], batch: usize) -> Vec<usize> {
    let mut rows = Vec::new();
    let mut start = 0;
    for (rank, &count) in split.iter().enumerate() {
        rows.extend((0..count).map(|j| ((2 * j + 1) as f64 / (2 * count) as f64, rank, start + j)));
        start += count;
    }
    rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
    rows.chunks_mut(batch).for_each(|batch| batch.sort_by_key(|(_, rank, row)| (*rank, *row)));
    rows.into_iter().map(|(.., row)| row).collect()
}

#[test]
fn shards_train_like_one_rank_with_the_same_batches() {
    let (x, y) = clouds();
    let weight = Array1::from_iter((0..43).map(|i| 0.5 + (i % 7) as f64));
    let held = |all: &Array2<f64>| all + 0.1;
    for split in SPLITS {
        let order = order(split, 8);
        let of = |rows: &Array2<f64>| rows.select(Axis(0), &order);
        let (mixed, labels, weights) = (of(&x), y.select(Axis(0), &order), weight.select(Axis(0), &order));
        let mut model = network();
        let near = held(&x);
        let alone = in_order().sample_weight(&weights).validation_data(&near, &y).validation_batch_size(10);
        let history = model.fit(&mixed, &labels, &alone).unwrap();
        let expected = numbers(&model, &history);
        let scores = model.evaluate(&x, &y, &Evaluate::new().sample_weight(&weight)).unwrap();
        let found = threads(split.len(), |world| {
            let rank = world.rank();
            let (x, y, weight) = (own(&x, split, rank), own(&y, split, rank), own(&weight, split, rank));
            // The validation shards have other sizes.
            let back: Vec<usize> = split.iter().rev().copied().collect();
            let (near, answers) = (own(&near, &back, rank), own(&clouds().1, &back, rank));
            let mut model = network();
            let fit =
                in_order().sample_weight(&weight).validation_data(&near, &answers).validation_batch_size(10);
            let history = model.fit(&x, &y, &fit.sharded(world)).unwrap();
            let evaluate = Evaluate::new().sample_weight(&weight).sharded(world);
            (numbers(&model, &history), model.evaluate(&x, &y, &evaluate).unwrap())
        });
        for (numbers, logs) in &found {
            assert_eq!(numbers, &found[0].0, "ranks agree in every bit");
            for (found, expected) in numbers.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                    "{found} {expected} {split:?}"
                );
            }
            for ((name, value), (same, expected)) in logs.iter().zip(scores.iter()) {
                assert!(
                    name == same && (value - expected).abs() < 1e-9,
                    "{logs} and not {scores} on {split:?}"
                );
            }
        }
    }
}

#[test]
fn each_epoch_reads_each_row_once_on_its_own_rank_in_a_new_order() {
    let (x, y) = clouds();
    for split in SPLITS {
        let train = || {
            threads(split.len(), |world| {
                let seen = std::cell::RefCell::new(Vec::new());
                let (x, y) = (own(&x, split, world.rank()), own(&y, split, world.rank()));
                let source = source_fn(x.nrows(), [4], [1], |index, to: &mut [f64], label: &mut [f64]| {
                    seen.borrow_mut().push(index);
                    to.iter_mut().zip(x.row(index)).for_each(|(to, from)| *to = *from);
                    label[0] = y[index] as f64;
                    Ok(())
                });
                let mut model = network();
                let fit = fit().epochs(3).diagnose(Diagnose::Off).sharded(world);
                let history = model.fit_source(&source, &fit).unwrap();
                (seen.into_inner(), numbers(&model, &history))
            })
        };
        let found = train();
        assert_eq!(found, train(), "not reproducible");
        for ((seen, _), &count) in found.iter().zip(split) {
            let epochs: Vec<&[usize]> = if count == 0 { vec![&[]; 3] } else { seen.chunks(count).collect() };
            assert_eq!(epochs.len(), 3, "{split:?}");
            for epoch in &epochs {
                let mut rows = epoch.to_vec();
                rows.sort_unstable();
                assert_eq!(rows, (0..count).collect::<Vec<_>>(), "{split:?}");
            }
            assert!(count < 5 || epochs[0] != epochs[1], "a fresh order each epoch");
        }
        for (a, b) in (0..split.len()).flat_map(|b| (0..b).map(move |a| (a, b))) {
            let same = split[a] == split[b] && split[a] > 4;
            assert!(!same || found[a].0 != found[b].0, "another order in each shard");
        }
    }
    let alone = |world: Option<&ThreadRank>| {
        let mut model = network();
        let fit = fit().validation_split(0.2);
        let history = match world {
            Some(world) => model.fit(&x, &y, &fit.sharded(world)),
            None => model.fit(&x, &y, &fit),
        };
        numbers(&model, &history.unwrap())
    };
    assert_eq!(threads(1, |world| alone(Some(world)))[0], alone(None), "one shard equals no shards");
}

#[test]
fn validation_split_holds_out_the_end_of_each_shard() {
    let (x, y) = clouds();
    let split = [13, 1, 29];
    let expected = {
        // ⌊13·0.7⌋ = 9 rows train, none of a single one, and ⌊29·0.7⌋ = 20.
        let rows: Vec<usize> = (9..13).chain(13..14).chain(34..43).collect();
        (x.select(Axis(0), &rows), y.select(Axis(0), &rows))
    };
    for (model, val_loss, words) in threads(3, |world| {
        let mut model = network();
        let (x, y) = (own(&x, &split, world.rank()), own(&y, &split, world.rank()));
        let history = model.fit(&x, &y, &fit().validation_split(0.3).sharded(world)).unwrap();
        let words: Vec<String> =
            history.settings().filter(|(name, _)| name.contains("samples")).map(|(_, n)| n.into()).collect();
        (model, history.last("val_loss").unwrap(), words)
    }) {
        let scores = model.evaluate(&expected.0, &expected.1, &Evaluate::new()).unwrap();
        assert!((scores.get("loss").unwrap() - val_loss).abs() < 1e-9, "{val_loss} and not {scores}");
        assert_eq!(words, ["29", "14", "9, 0, 20"]);
    }
}

/// The errors of these ranks.
fn ends(
    size: usize,
    data: impl Fn(usize) -> (Array2<f64>, Array1<usize>) + Sync,
    settings: impl for<'w> Fn(usize, Fit<'w, f64>, &'w ThreadRank) -> Fit<'w, f64> + Sync,
) -> Vec<String> {
    threads(size, |world| {
        let (x, y) = data(world.rank());
        let fit = settings(world.rank(), fit(), world);
        network().fit(&x, &y, &fit).map_or_else(|error| error.to_string(), |_| "trained".into())
    })
}

#[test]
fn incompatible_shards_are_detected_before_the_first_step() {
    let shard = |rank: usize| {
        let (x, y) = clouds();
        (own(&x, &[20, 13, 10], rank), own(&y, &[20, 13, 10], rank))
    };
    fn sharded<'w>(_: usize, fit: Fit<'w, f64>, world: &'w ThreadRank) -> Fit<'w, f64> {
        fit.sharded(world)
    }
    assert_eq!(ends(3, shard, sharded), ["trained"; 3]);
    let narrow = |rank: usize| match shard(rank) {
        (x, y) if rank == 1 => (x.slice(s![.., ..3]).to_owned(), y),
        shard => shard,
    };
    for found in ends(3, narrow, sharded) {
        assert!(
            found.starts_with("rank 1 differs from rank 0 in layer 0") || found.contains("shape"),
            "{found}"
        );
    }
    for found in ends(3, shard, |rank, fit, world| match rank {
        2 => fit.class_weight(ClassWeight::Balanced).sharded(world),
        _ => fit.sharded(world),
    }) {
        assert!(found.starts_with("rank 2 differs from rank 0 in class_weight: expected None"), "{found}");
    }
    for found in ends(3, shard, |rank, fit, world| match rank {
        1 => fit.validation_split(0.2).sharded(world),
        _ => fit.sharded(world),
    }) {
        assert!(
            found.starts_with("rank 1 differs from rank 0 in ") && found.contains("validation"),
            "{found}"
        );
    }
    for found in ends(
        3,
        |_| shard(0),
        |rank, fit, world| match rank {
            1 => fit.distributed(world),
            _ => fit.sharded(world),
        },
    ) {
        assert!(
            found.ends_with("rank 1 differs from rank 0 in data: expected shards, found whole"),
            "{found}"
        );
    }
    for found in ends(2, shard, |_, fit, world| fit.reduction(Reduction::Exact).sharded(world)) {
        assert!(found.contains("`reduction`: expected Reduction::Fast for sharded data"), "{found}");
    }
    let nobody = |_| (Array2::zeros((0, 4)), Array1::zeros(0));
    assert!(
        ends(2, nobody, sharded)
            .iter()
            .all(|found| found.contains("`x` is empty") || found.contains("empty"))
    );
    let nan = |rank| {
        let (mut x, y) = shard(rank);
        x[[4, 1]] = if rank == 2 { f64::NAN } else { 0.0 };
        (x, y)
    };
    let cause = "x: expected finite values, found NaN at row 4, column 1";
    let expected = format!("rank 2: {cause}");
    assert_eq!(ends(3, nan, sharded), [expected.clone(), expected, cause.into()]);
}

#[test]
fn evaluations_of_empty_or_incompatible_shards_fail_on_all_ranks() {
    let (x, y) = clouds();
    let mut model = network();
    model.fit(&x, &y, &fit()).unwrap();
    let refused = |rows: fn(usize) -> usize, width: fn(usize) -> usize| {
        threads(3, |world| {
            let rank = world.rank();
            let (x, y) =
                (Array2::<f64>::zeros((rows(rank), width(rank))), Array1::<usize>::zeros(rows(rank)));
            model.evaluate(&x, &y, &Evaluate::new().sharded(world)).unwrap_err().to_string()
        })
    };
    assert!(refused(|_| 0, |_| 4).iter().all(|found| found.contains("empty")));
    let found = refused(|rank| rank, |rank| 4 + rank / 2);
    assert!(found[..2].iter().all(|found| found.starts_with("rank 2: ")), "{found:?}");
    assert!(found[2].contains("expected samples of shape (4), found (5)"), "{found:?}");
}

#[test]
fn a_training_on_shards_resumes_only_with_the_same_shards() {
    let (x, y) = clouds();
    let folder = std::env::temp_dir().join(format!("cornu-shards-{}", std::process::id()));
    let train = |split: &[usize], backup: bool, killed_in: Option<(usize, usize)>| {
        threads(split.len(), |world| {
            let kill = LambdaCallback::new().on_batch_end(|at| match killed_in {
                Some(place) if place == (at.epoch, at.batch) => {
                    Err(Error::outside(std::io::Error::other("killed")))
                }
                _ => Ok(Flow::Continue),
            });
            let fit = fit().callback(kill);
            let fit = if backup { fit.backup(BackupAndRestore::new(&folder).save_freq(2)) } else { fit };
            let (x, y) = (own(&x, split, world.rank()), own(&y, split, world.rank()));
            let mut model = network();
            let history = model.fit(&x, &y, &fit.sharded(world));
            history.map(|history| numbers(&model, &history)).map_err(|error| error.to_string())
        })
    };
    let split = [20, 13, 10];
    let whole = train(&split, false, None).remove(0).unwrap();
    assert!(
        train(&split, true, Some((1, 3))).iter().all(|found| found.as_ref().unwrap_err().contains("killed"))
    );
    for other in [&[20, 10, 13][..], &[20, 23]] {
        for found in train(other, true, None) {
            let error = found.unwrap_err();
            assert!(error.contains("samples of each rank that train"), "{error}");
            assert!(error.contains("20, 13, 10"), "{error}");
        }
    }
    for found in train(&split, true, None) {
        assert_eq!(found.unwrap(), whole);
    }
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn an_array_of_rank_0_is_scattered() {
    let x = Array3::from_shape_fn((11, 2, 3), |(i, j, k)| (100 * i + 10 * j + k) as f32);
    let y = Array1::from_iter((0..11).map(|i| i % 3));
    let flags: ArrayD<bool> = ArrayD::from_shape_fn(IxDyn(&[11, 1]), |at| at[0] % 2 == 0);
    for size in [1, 2, 3, 4, 16] {
        let parts = threads(size, |world| {
            let first = world.rank() == 0;
            // In any layout, and as views.
            let turned =
                first.then(|| x.view().reversed_axes().as_standard_layout().into_owned().reversed_axes());
            let x = scatter(world, turned.as_ref()).unwrap();
            let y = scatter(world, first.then(|| y.view()).as_ref()).unwrap();
            (x, y, scatter(world, first.then_some(&flags)).unwrap())
        });
        let counts: Vec<usize> = parts.iter().map(|(x, ..)| x.len_of(Axis(0))).collect();
        assert!(counts.iter().all(|&count| count == 11 / size || count == 11 / size + 1), "{counts:?}");
        assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
        let views: Vec<_> = parts.iter().map(|(x, ..)| x.view()).collect();
        assert_eq!(cornu::ndarray::concatenate(Axis(0), &views).unwrap(), x);
        let views: Vec<_> = parts.iter().map(|(_, y, _)| y.view()).collect();
        assert_eq!(cornu::ndarray::concatenate(Axis(0), &views).unwrap(), y);
        let views: Vec<_> = parts.iter().map(|(.., flags)| flags.view()).collect();
        assert_eq!(cornu::ndarray::concatenate(Axis(0), &views).unwrap(), flags);
    }
    // More than one message, and samples without values.
    let long = Array1::from_iter(0..2_500_001u32);
    let parts = threads(2, |world| scatter(world, (world.rank() == 0).then_some(&long)).unwrap());
    assert_eq!(
        (parts[0].len(), parts[1].last(), parts[1].first()),
        (1_250_001, Some(&2_500_000), Some(&1_250_001))
    );
    let hollow = Array2::<f64>::zeros((5, 0));
    let parts = threads(2, |world| scatter(world, (world.rank() == 0).then_some(&hollow)).unwrap());
    assert_eq!((parts[0].dim(), parts[1].dim()), ((3, 0), (2, 0)));
}

#[test]
fn an_array_on_a_wrong_rank_or_on_none_is_an_error_on_all() {
    let y = Array1::from_iter(0..5u8);
    let found = |brings: fn(usize) -> bool| {
        threads(3, |world| scatter(world, brings(world.rank()).then_some(&y)).unwrap_err().to_string())
    };
    let none = found(|_| false);
    assert!(none[0].contains("`array`: expected an array on rank 0, found none"), "{none:?}");
    assert!(none[1..].iter().all(|error| *error == format!("rank 0: {}", none[0])), "{none:?}");
    let two = found(|rank| rank != 1);
    assert!(two[2].contains("`array`: expected none except on rank 0, found an array"), "{two:?}");
    assert!(two[..2].iter().all(|error| *error == format!("rank 2: {}", two[2])), "{two:?}");
    let alone = threads(1, |world| scatter(world, None::<&Array1<u8>>).is_err());
    assert_eq!(alone, [true]);
    // Different element types are reported before any data are sent.
    let errors = threads(2, |world| match world.rank() {
        0 => scatter(world, Some(&y)).unwrap_err().to_string(),
        _ => scatter(world, None::<&Array1<f64>>).unwrap_err().to_string(),
    });
    let differs =
        "rank 1 differs from rank 0 in scattered array: expected u8 in Some(1) dimensions, found f64";
    assert!(errors.iter().all(|error| error.starts_with(differs)), "{errors:?}");
    // A rank that ended before its part could be sent, and one that others wait for in vain.
    let errors = threads(2, |world| match world.rank() {
        0 => scatter(world, Some(&y)).unwrap_err().to_string(),
        _ => "ended".into(),
    });
    assert!(errors[0].contains("rank 1: it has ended"), "{errors:?}");
}

#[test]
fn scattered_data_of_rank_0_can_be_trained_on() {
    let (x, y) = clouds();
    let found = threads(3, |world| -> Result<_> {
        let read = (world.rank() == 0).then(clouds);
        let own_x = scatter(world, read.as_ref().map(|(x, _)| x))?;
        let own_y = scatter(world, read.as_ref().map(|(_, y)| y))?;
        let mut model = Sequential::with_scalar()
            .seed(4)
            .add(Normalization::new().adapt_distributed(&own_x, world)?)
            .add(Dense::new(3).activation(Activation::Softmax));
        model.compile(Adam::new(0.05), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
        model.fit(&own_x, &own_y, &fit().epochs(40).sharded(world))?;
        Ok(model)
    });
    for model in found {
        let scores = model.unwrap().evaluate(&x, &y, &Evaluate::new()).unwrap();
        assert!(scores.get("accuracy") > Some(0.8), "{scores}");
    }
}

#[test]
fn an_unreadable_shard_ends_all_ranks_with_one_error() {
    let (x, y) = clouds();
    let split = [20, 13, 10];
    let broken = || Error::outside(std::io::Error::other("part-1.npy: no such file"));
    // At the first read, by the diagnosis or for class weights; in the second epoch; in the evaluation.
    for (reads, balanced, evaluated) in
        [(0, false, false), (0, true, false), (100, false, false), (20, true, false), (3, false, true)]
    {
        let found = threads(3, |world| {
            let (x, y) = (own(&x, &split, world.rank()), own(&y, &split, world.rank()));
            let left = std::cell::Cell::new(reads);
            let source = source_fn(x.nrows(), [4], [1], |index, to: &mut [f64], label: &mut [f64]| {
                if world.rank() == 1 {
                    if left.get() == 0 {
                        return Err(broken());
                    }
                    left.set(left.get() - 1);
                }
                to.iter_mut().zip(x.row(index)).for_each(|(to, from)| *to = *from);
                label[0] = y[index] as f64;
                Ok(())
            });
            let mut model = network();
            if evaluated {
                model.fit(&x, &y, &fit().sharded(world)).unwrap();
                return model
                    .evaluate_source(&source, &Evaluate::new().sharded(world))
                    .unwrap_err()
                    .to_string();
            }
            let weight = if balanced { ClassWeight::Balanced } else { ClassWeight::None };
            let fit = fit().epochs(20).class_weight(weight).sharded(world);
            model.fit_source(&source, &fit).unwrap_err().to_string()
        });
        let cause = broken().to_string();
        assert_eq!(
            found,
            [format!("rank 1: {cause}"), cause.clone(), format!("rank 1: {cause}")],
            "after {reads}"
        );
    }
}

#[test]
fn a_failure_on_one_rank_before_training_fails_on_all() {
    let read = |rank: usize, bad: &[usize]| match bad.contains(&rank) {
        true => Err(Error::outside(std::io::Error::other(format!("part-{rank}.npy: no such file")))),
        false => Ok(rank),
    };
    for size in [1, 2, 5] {
        assert_eq!(
            threads(size, |world| together(world, || read(world.rank(), &[])).unwrap()),
            (0..size).collect::<Vec<_>>()
        );
        for bad in [vec![0], vec![size - 1], vec![0, size - 1]] {
            let found =
                threads(size, |world| together(world, || read(world.rank(), &bad)).unwrap_err().to_string());
            for (rank, found) in found.into_iter().enumerate() {
                let cause = |rank: usize| format!("part-{rank}.npy: no such file");
                let own = bad.contains(&rank);
                assert_eq!(
                    found,
                    if own { cause(rank) } else { format!("rank {}: {}", bad[0], cause(bad[0])) }
                );
            }
        }
    }
}

/// With shards of equal size, each batch has the same number of rows from each, as if all ranks had all rows.
#[test]
fn local_sgd_on_shards_equals_local_sgd_on_parts_of_batches() {
    let (x, y) = clouds();
    let (x, y) = (x.slice(s![..40, ..]).to_owned(), y.slice(s![..40]).to_owned());
    for split in [&[20, 20][..], &[10, 10, 10, 10]] {
        let order = order(split, 8);
        let (mixed, labels) = (x.select(Axis(0), &order), y.select(Axis(0), &order));
        let train = |fit: &Fit<f64>, x: &Array2<f64>, y: &Array1<usize>| {
            let mut model = network();
            let history = model.fit(x, y, fit).unwrap();
            numbers(&model, &history)
        };
        let whole = threads(split.len(), |world| {
            train(&in_order().sync_every(3).distributed(world), &mixed, &labels)
        });
        let shards = threads(split.len(), |world| {
            let (x, y) = (own(&x, split, world.rank()), own(&y, split, world.rank()));
            train(&in_order().sync_every(3).sharded(world), &x, &y)
        });
        for (found, expected) in shards.iter().flatten().zip(whole.iter().flatten()) {
            assert!(
                (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                "{found} {expected} {split:?}"
            );
        }
        assert!(shards.iter().all(|found| *found == shards[0]), "ranks agree in every bit");
    }
}
