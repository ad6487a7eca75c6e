//! What makes a training on several ranks quick changes nothing that it should not.

use std::sync::Mutex;

use cornu::distributed::{Communicator, Numbers, OwnedNumbers, Sum, ThreadRank, threads};
use cornu::error::Result;
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

/// A rank that counts its sums, and does those in the background as late as they may be done.
#[derive(Debug)]
struct Late<'w> {
    world: &'w ThreadRank,
    /// Not yet done, and done, in order.
    waiting: Mutex<Vec<Option<OwnedNumbers>>>,
    sums: Mutex<Vec<&'static str>>,
    fails: bool,
}

impl<'w> Late<'w> {
    fn new(world: &'w ThreadRank) -> Self {
        Late { world, waiting: Mutex::default(), sums: Mutex::default(), fails: false }
    }

    fn told(&self, what: &'static str) {
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
            self.told("waited for");
        }
        self.world.sum(numbers)
    }

    fn start_sum(&self, numbers: OwnedNumbers) -> Result<Sum<'_>> {
        self.told("in the background");
        let mut waiting = self.waiting.lock().unwrap();
        let place = waiting.len();
        waiting.push(Some(numbers));
        Ok(Sum::new(move || {
            if self.fails {
                return Err(Error::outside(std::io::Error::other("the cable is cut")));
            }
            let mut numbers = self.waiting.lock().unwrap()[place].take().unwrap();
            self.world.sum(numbers.lend())?;
            Ok(numbers)
        }))
    }
}

fn clouds<F: Scalar>() -> (Array2<F>, Array1<F>) {
    let mut rng = Rng::stream(9, 0);
    let y = Array1::from_iter((0..43).map(|i| i * i % 3));
    let x = Array2::from_shape_fn((43, 4), |(i, j)| {
        F::of(if j == y[i] { 2.0 } else { 0.0 } + 0.7 * rng.normal())
    });
    (x, y.mapv(|class| F::of(class as f64)))
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

/// All that a training ends with, as bits.
fn bits<F: Scalar>(model: &Sequential<F>, history: &History) -> Vec<u64> {
    let weights = model.weights().unwrap();
    let weights = weights.iter().flat_map(|(_, array)| array.iter().map(|w| w.as_f64().to_bits()));
    let series = history.names().flat_map(|name| history.get(name).unwrap()).map(|value| value.to_bits());
    weights.chain(series).collect()
}

#[test]
fn buckets_of_any_size_give_the_same_bits_and_set_out_early() {
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
                // Of 5 batches in each of 3 epochs. Dense, residual and statistics each have a gradient of their own, and the
                // lowest layer's is waited for.
                let begun = of_rank.each_ref().map(|(_, begun, _)| *begun);
                assert_eq!(begun, [0, 0, 15, 45], "{size} ranks");
            }
        }
    }
    check_scalar::<f32>();
    check_scalar::<f64>();
}

#[test]
fn a_sum_in_the_background_that_fails_ends_the_training() {
    let (x, y) = clouds::<f64>();
    let found = threads(3, |world| {
        let world = Late { fails: world.rank() == 1, ..Late::new(world) };
        let fit =
            Fit::<f64>::new().batch_size(8).verbose(Verbose::Silent).bucket_bytes(1).distributed(&world);
        network::<f64>(Sgd::new(0.1)).fit(&x, &y, &fit).unwrap_err().to_string()
    });
    assert!(found[1] == "the cable is cut" && found[0].starts_with("rank 1: "), "{found:?}");
}
