//! Optimizations of distributed trainings do not change results.

use std::sync::Mutex;

use cornu::data::source_fn;
use cornu::distributed::{Communicator, Numbers, OwnedNumbers, Reduction, Sum, ThreadRank, threads};
use cornu::error::Result;
use cornu::ndarray::{Array1, Array2, s};
use cornu::prelude::*;

use crate::clouds::clouds;

/// A rank that counts its sums, and delays those in the background as long as possible.
#[derive(Debug)]
struct Late<'w> {
    world: &'w ThreadRank,
    /// Pending sums, and finished ones in order.
    waiting: Mutex<Vec<Option<OwnedNumbers>>>,
    sums: Mutex<Vec<&'static str>>,
    fails: bool,
}

impl<'w> Late<'w> {
    fn new(world: &'w ThreadRank) -> Self {
        Late { world, waiting: Mutex::default(), sums: Mutex::default(), fails: false }
    }

    fn record(&self, what: &'static str) {
        self.sums.lock().unwrap().push(what);
    }
}

impl Communicator for Late<'_> {
    fn rank(&self) -> usize {
        self.world.rank()
    }

    fn size(&self) -> usize {
        self.world.size()
    }

    fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        self.world.send(to, bytes)
    }

    fn receive(&self, from: usize) -> Result<Vec<u8>> {
        self.world.receive(from)
    }

    fn sum(&self, numbers: Numbers) -> Result<()> {
        if !matches!(&numbers, Numbers::F64(numbers) if numbers.len() == 4) {
            self.record("waited for");
        }
        self.world.sum(numbers)
    }

    fn start_sum(&self, numbers: OwnedNumbers) -> Result<Sum<'_>> {
        self.record("in the background");
        let mut waiting = self.waiting.lock().unwrap();
        let place = waiting.len();
        waiting.push(Some(numbers));
        Ok(Sum::new(move || {
            if self.fails {
                return Err(Error::outside(std::io::Error::other("the cable is cut")));
            }
            let mut numbers = self.waiting.lock().unwrap()[place].take().unwrap();
            self.world.sum(numbers.as_numbers())?;
            Ok(numbers)
        }))
    }
}

fn network<F: Scalar>(rule: impl Optimizer<F> + 'static) -> Sequential<F> {
    let mut model = Sequential::with_scalar()
        .seed(4)
        .input([4])
        .add(Rescaling::new(0.5))
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.2))
        .add(Residual::new().add(Dense::new(8).kernel_regularizer(Regularizer::L2(1e-2))))
        .add(Dense::new(6).name("frozen").trainable(false))
        .add(Dense::new(3).activity_regularizer(Regularizer::L2(1e-3)))
        .add(Softmax::new());
    model.compile(rule, SparseCategoricalCrossentropy::new(), (Accuracy::new(), F1Score::new())).unwrap();
    model
}

/// The result of a training, bit by bit.
fn bits<F: Scalar>(model: &Sequential<F>, history: &History) -> Vec<u64> {
    let weights = model.weights().unwrap();
    let weights = weights.iter().flat_map(|(_, array)| array.iter().map(|w| w.as_f64().to_bits()));
    let series = history.names().flat_map(|name| history.get(name).unwrap()).map(|value| value.to_bits());
    weights.chain(series).collect()
}

#[test]
fn a_communicator_can_be_chosen_at_run_time() {
    fn train(world: &impl Communicator) -> Vec<u64> {
        let (x, y) = clouds::<f32>();
        let mut model = network::<f32>(Sgd::new(0.1));
        let fit = Fit::new().epochs(2).batch_size(8).verbose(Verbose::Silent).distributed(world);
        let history = model.fit(&x, &y, &fit).unwrap();
        bits(&model, &history)
    }
    let boxed = threads(2, |world| -> Vec<u64> {
        let world: Box<dyn Communicator + '_> = Box::new(Late::new(world));
        train(&world)
    });
    assert_eq!(boxed, threads(2, train));
}

#[test]
fn buckets_of_any_size_give_the_same_bits_and_are_sent_early() {
    fn check_scalar<F: Scalar>() {
        let (x, y) = clouds::<F>();
        let train = |world: &Late, fit: Fit<F>| {
            let mut model = network::<F>(Sgd::new(0.1).momentum(0.9).global_clip_norm(0.5));
            let fit = fit.epochs(3).batch_size(8).verbose(Verbose::Silent).validation_split(0.2);
            let history = model.fit(&x, &y, &fit).unwrap();
            let sums = std::mem::take(&mut *world.sums.lock().unwrap());
            (bits(&model, &history), sums.iter().filter(|what| **what == "in the background").count())
        };
        for size in [2, 3, 4, 11] {
            let found = threads(size, |world| {
                let world = Late::new(world);
                [usize::MAX, 1 << 20, 60 * size_of::<F>(), 1].map(|bytes| {
                    let (found, begun) = train(&world, Fit::new().bucket_bytes(bytes).distributed(&world));
                    (found, begun, world.waiting.lock().unwrap().iter().all(Option::is_none))
                })
            });
            for of_rank in &found {
                assert!(
                    of_rank.iter().all(|(bits, _, done)| *bits == found[0][0].0 && *done),
                    "{size} ranks"
                );
                // For 5 batches in each of 3 epochs. Dense, residual and batch normalization layers each have their own
                // bucket, and the lowest one is waited for.
                let begun = of_rank.each_ref().map(|(_, begun, _)| *begun);
                assert_eq!(begun, [0, 0, 15, 45], "{size} ranks");
            }
        }
    }
    check_scalar::<f32>();
    check_scalar::<f64>();
}

#[test]
fn a_failed_background_sum_ends_the_training() {
    let (x, y) = clouds::<f64>();
    let found = threads(3, |world| {
        let world = Late { fails: world.rank() == 1, ..Late::new(world) };
        let fit =
            Fit::<f64>::new().batch_size(8).verbose(Verbose::Silent).bucket_bytes(1).distributed(&world);
        network::<f64>(Sgd::new(0.1)).fit(&x, &y, &fit).unwrap_err().to_string()
    });
    assert!(found[1] == "the cable is cut" && found[0].starts_with("rank 1: "), "{found:?}");
}

/// Local SGD by hand: `train_on_batch` on each rank's part of each batch, and the mean of all weights after every
/// `every` steps.
fn by_hand(size: usize, every: usize, epochs: usize, (x, y): (&Array2<f64>, &Array1<f64>)) -> Vec<Vec<f64>> {
    let mut models = vec![plain(); size];
    for _ in 0..epochs {
        let batches: Vec<usize> = (0..x.nrows()).step_by(8).collect();
        for (step, &start) in batches.iter().enumerate() {
            let rows = 8.min(x.nrows() - start);
            for (rank, model) in models.iter_mut().enumerate() {
                let (each, more) = (rows / size, rows % size);
                let first = start + rank * each + rank.min(more);
                let own = first..first + each + usize::from(rank < more);
                if !own.is_empty() {
                    let (x, y) = (x.slice(s![own.clone(), ..]), y.slice(s![own]));
                    model.train_on_batch(&x, &y, &Fit::new()).unwrap();
                }
            }
            if (step + 1) % every == 0 || step + 1 == batches.len() {
                let all: Vec<_> = models.iter().map(|model| model.weights().unwrap()).collect();
                let mean = |path: &str| {
                    let sum = all
                        .iter()
                        .map(|weights| weights.iter().find(|(name, _)| *name == path).unwrap().1.to_owned());
                    sum.reduce(|sum, other| sum + other).unwrap() / size as f64
                };
                let means: Vec<_> = all[0].iter().map(|(path, _)| (path.to_string(), mean(path))).collect();
                for model in &mut models {
                    means.iter().for_each(|(path, mean)| model.set_weight(path, mean).unwrap());
                }
            }
        }
    }
    models[0].weights().unwrap().iter().map(|(_, array)| array.iter().copied().collect()).collect()
}

/// A network without random masks, which would differ in steps by hand.
fn plain() -> Sequential<f64> {
    let mut model = Sequential::with_scalar()
        .seed(4)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(BatchNormalization::new().momentum(0.7))
        .add(Dense::new(3).kernel_regularizer(Regularizer::L2(1e-2)))
        .input([4]);
    let loss = SparseCategoricalCrossentropy::new().from_logits(true);
    model.compile(Sgd::new(0.1).clip_norm(0.7), loss, [Accuracy::new()]).unwrap();
    model.build().unwrap();
    model
}

#[test]
fn local_sgd_equals_local_steps_and_averages_by_hand() {
    let (x, y) = clouds::<f64>();
    for (size, every) in [(2, 2), (3, 4), (4, 100), (11, 3)] {
        let expected = by_hand(size, every, 3, (&x, &y));
        let found = threads(size, |world| {
            let mut model = plain();
            let fit = Fit::new().epochs(3).batch_size(8).shuffle(false).verbose(Verbose::Silent);
            model.fit(&x, &y, &fit.sync_every(every).distributed(world)).unwrap();
            model
                .weights()
                .unwrap()
                .iter()
                .map(|(_, array)| array.iter().copied().collect::<Vec<f64>>())
                .collect::<Vec<_>>()
        });
        for of_rank in &found {
            assert_eq!(*of_rank, found[0], "{size} ranks differ");
            for (found, expected) in of_rank.iter().flatten().zip(expected.iter().flatten()) {
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{size} ranks, {every} steps: {found} and not {expected}"
                );
            }
        }
    }
}

#[test]
fn local_sgd_averages_the_optimizer_state() {
    // The parts of both ranks have the same rows in each batch, so that their local steps equal those of the global
    // batch.
    let (some_x, some_y) = clouds::<f64>();
    let twice = |row: usize| row / 8 * 4 + row % 4;
    let x = Array2::from_shape_fn((80, 4), |(i, j)| some_x[[twice(i), j]]);
    let y = Array1::from_shape_fn(80, |i| some_y[twice(i)]);
    fn check(rule: impl Optimizer<f64> + Clone + 'static, (x, y): (&Array2<f64>, &Array1<f64>)) {
        let train = |world: Option<&ThreadRank>| {
            let mut model = plain();
            model
                .compile(
                    rule.clone(),
                    SparseCategoricalCrossentropy::new().from_logits(true),
                    [F1Score::new()],
                )
                .unwrap();
            let fit = Fit::new()
                .epochs(4)
                .batch_size(8)
                .shuffle(false)
                .verbose(Verbose::Silent)
                .validation_split(0.1);
            let fit = match world {
                Some(world) => fit.sync_every(3).distributed(world),
                None => fit,
            };
            let history = model.fit(x, y, &fit).unwrap();
            bits(&model, &history)
        };
        let alone = train(None);
        let found = threads(2, |world| train(Some(world)));
        assert_eq!(found[0], found[1]);
        for (found, expected) in
            found[0].iter().zip(&alone).map(|(f, e)| (f64::from_bits(*f), f64::from_bits(*e)))
        {
            assert!((found - expected).abs() < 1e-9, "{found} and not {expected}");
        }
    }
    let data = (&x, &y);
    check(Sgd::new(0.1).momentum(0.9).nesterov(true), data);
    check(Adam::new(0.01), data);
    check(Nadam::new(0.01), data);
    check(Adagrad::new(0.05), data);
    let average = cornu::optimizer::WeightAverage::new(0.9);
    check(Sgd::new(0.05).momentum(0.5).accumulate_gradients(2).average_weights(average), data);
}

#[test]
fn callbacks_see_averages_and_constant_values_keep_their_bits() {
    let (x, y) = clouds::<f32>();
    for size in [3, 11] {
        let found = threads(size, |world| {
            let normalize = Normalization::new().adapt(&x.mapv(f64::from)).unwrap();
            let mut model =
                Sequential::new().seed(2).input([4]).add(normalize).add(Dense::new(8)).add(Dropout::new(0.2));
            model = model.add(Dense::new(3)).add(Softmax::new());
            let metrics = (Accuracy::new(), Weighted::new(Accuracy::new()));
            model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), metrics).unwrap();
            model.build().unwrap();
            let before = model.weight("normalization/mean").unwrap().to_owned();
            let seen = Mutex::new(Vec::new());
            let look = LambdaCallback::new().on_batch_end(|at| {
                seen.lock().unwrap().push(at.batch);
                Ok(if at.epoch == 2 && at.batch == 4 { Flow::Stop("enough".into()) } else { Flow::Continue })
            });
            let weights = Array1::from_iter((0..43).map(|i| 0.5 + (i % 7) as f32));
            let fit = Fit::new()
                .epochs(9)
                .batch_size(8)
                .verbose(Verbose::Silent)
                .sample_weight(&weights)
                .callback(look);
            let history = model.fit(&x, &y, &fit.sync_every(2).distributed(world)).unwrap();
            assert_eq!(before, model.weight("normalization/mean").unwrap());
            assert_eq!(history.stopped(), Some("enough"));
            (bits(&model, &history), seen.into_inner().unwrap())
        });
        assert!(found.iter().all(|(bits, _)| *bits == found[0].0), "{size} ranks differ");
        assert_eq!(found[0].1, [2, 4, 6, 2, 4, 6, 2, 4]);
        assert!(found[1..].iter().all(|(_, seen)| seen.is_empty()));
    }
}

#[test]
fn faults_between_synchronizations_end_all_ranks() {
    let (x, y) = clouds::<f64>();
    let train = |fit: &(dyn Fn(usize) -> (usize, Reduction) + Sync), rate: f64| {
        threads(3, |world| {
            let mut model = plain();
            model
                .compile(Sgd::new(rate), SparseCategoricalCrossentropy::new().from_logits(true), ())
                .unwrap();
            let (every, reduction) = fit(world.rank());
            let fit = Fit::<f64>::new().epochs(2).batch_size(8).verbose(Verbose::Silent).reduction(reduction);
            let fit = fit.sync_every(every).distributed(world);
            model.fit(&x, &y, &fit).map_or_else(|error| error.to_string(), |_| "trained".into())
        })
    };
    fn all_fast(every: usize) -> impl Fn(usize) -> (usize, Reduction) + Sync {
        move |_| (every, Reduction::Fast)
    }
    assert_eq!(train(&all_fast(4), 0.1), ["trained"; 3]);
    assert!(train(&all_fast(0), 0.1)[2].contains("`sync_every`: expected at least 1, found 0"));
    let none = plain().fit(&x, &y, &Fit::new().bucket_bytes(0)).unwrap_err().to_string();
    assert!(none.contains("`bucket_bytes`: expected at least 1, found 0"), "{none}");
    let exact = train(&|_| (2, Reduction::Exact), 0.1);
    assert!(exact[1].contains("`sync_every`: expected 1 with Reduction::Exact, found 2"), "{exact:?}");
    let differs = train(&|rank| (2 + rank / 2, Reduction::Fast), 0.1);
    assert!(differs[0] == "rank 2 differs from rank 0 in sync_every: expected 2, found 3", "{differs:?}");
    let diverged = train(&all_fast(3), 1e300);
    assert!(diverged[0].contains("on rank ") && diverged[0].contains(" became "), "{diverged:?}");
    assert!(diverged.iter().all(|other| *other == diverged[0]), "{diverged:?}");

    let found = threads(3, |world| {
        let source = source_fn(43, [4], [1], |index, to: &mut [f64], label: &mut [f64]| {
            if world.rank() == 1 && index == 24 {
                return Err(Error::outside(std::io::Error::other("part-1.npy: no such file")));
            }
            to.iter_mut().zip(x.row(index)).for_each(|(to, from)| *to = *from);
            label[0] = y[index];
            Ok(())
        });
        let fit = Fit::new().epochs(2).batch_size(16).shuffle(false).verbose(Verbose::Silent).sync_every(2);
        plain().fit_source(&source, &fit.distributed(world)).unwrap_err().to_string()
    });
    let cause = "part-1.npy: no such file";
    assert_eq!(found, [format!("rank 1: {cause}"), cause.into(), format!("rank 1: {cause}")]);
}

/// The sum of the ranks' weights is infinite, and their mean is not.
#[test]
fn the_average_of_huge_weights_is_finite() {
    let (x, y) = (Array2::<f32>::zeros((8, 1)), Array1::<f32>::zeros(8));
    for size in [2, 3] {
        let weights = threads(size, |world| {
            let layer = Dense::new(1).use_bias(false).kernel_initializer(Initializer::Constant(3e38));
            let mut model = Sequential::new().seed(1).add(layer);
            model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
            let fit = Fit::new().epochs(2).batch_size(4).verbose(Verbose::Silent);
            model.fit(&x, &y, &fit.sync_every(2).distributed(world)).unwrap();
            model.weight("dense/kernel").unwrap()[[0, 0]]
        });
        assert!(weights.iter().all(|weight| (weight / 3e38 - 1.0).abs() < 1e-6), "{weights:?}");
    }
}
