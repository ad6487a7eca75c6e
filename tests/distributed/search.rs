//! A search whose trials are distributed over ranks returns the results of a single rank, bit for bit, on all ranks.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use cornu::distributed::{Communicator, ThreadRank, threads, together};
use cornu::error::RankFault;
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;
use cornu::selection::{HyperParameters, Search, SearchResults};

/// Points in a square, and whether they lie in a circle.
fn circle() -> (Array2<f32>, Array1<f32>) {
    let mut rng = Rng::new(11);
    let x = Array2::from_shape_simple_fn((120, 2), || 2.0 * rng.uniform() as f32 - 1.0);
    let y = x.map_axis(Axis(1), |p| f32::from(p[0] * p[0] + p[1] * p[1] < 0.6));
    (x, y)
}

type Built<'a> = Result<(Sequential, Fit<'a>)>;

/// A network with dropout, batch statistics, and an optimizer with state.
fn network<'a>(hp: &mut HyperParameters) -> Built<'a> {
    let mut model = Sequential::new()
        .add(Dense::new(hp.log_integer("units", 2..=24)?).activation(Activation::Tanh))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.1))
        .add(Dense::new(1).activation(Activation::Sigmoid));
    let adam = Adam::new(hp.log_uniform("learning_rate", 1e-4..=0.1)?);
    model.compile(adam, BinaryCrossentropy::new(), [Accuracy::new()])?;
    let batch_size = hp.choice("batch_size", [16, 32])?;
    Ok((model, Fit::new().epochs(9).batch_size(batch_size).validation_split(0.25)))
}

/// The results of a search, except for the duration.
fn all_of(results: &SearchResults) -> (String, String, Vec<String>, Vec<f32>) {
    let rows = results.trials().iter().map(|trial| {
        format!(
            "{:?} {:?} {} {:?}",
            trial.logs(),
            trial.error().map(ToString::to_string),
            trial.findings(),
            trial.get("units")
        )
    });
    let weights = results.best_model().map(|model| model.weights().unwrap()).unwrap_or_default();
    let weights = weights.iter().flat_map(|(_, values)| values.iter().copied().collect::<Vec<_>>());
    (results.to_csv(), results.to_string(), rows.collect(), weights.collect())
}

#[test]
fn all_ranks_return_the_results_of_a_single_rank() {
    let (x, y) = circle();
    let kinds: [fn() -> Search<'static>; 4] = [
        || Search::random(9).seed(3).halving(3),
        || Search::random(8).seed(5).halving(2).objective("val_accuracy"),
        || Search::random(5).seed(3),
        || Search::grid().points(2).min_epochs(2).halving(2),
    ];
    for kind in kinds {
        let alone = all_of(&kind().run(&x, &y, network).unwrap());
        assert!(!alone.3.is_empty());
        for size in [1, 2, 3, 7] {
            for found in
                threads(size, |world| all_of(&kind().distributed(world).run(&x, &y, network).unwrap()))
            {
                assert_eq!(found, alone, "{size} ranks");
            }
        }
    }
}

#[test]
fn the_best_model_can_be_trained_further_on_every_rank() {
    let (x, y) = circle();
    let trained = threads(3, |world| {
        let results = Search::random(4).seed(2).distributed(world).run(&x, &y, network).unwrap();
        let mut model = results.into_best_model().unwrap();
        model.fit(&x, &y, &Fit::new().epochs(2).verbose(Verbose::Silent)).unwrap();
        model.evaluate(&x, &y, &Evaluate::new()).unwrap().get("loss")
    });
    let mut model = Search::random(4).seed(2).run(&x, &y, network).unwrap().into_best_model().unwrap();
    model.fit(&x, &y, &Fit::new().epochs(2).verbose(Verbose::Silent)).unwrap();
    assert_eq!(trained, vec![model.evaluate(&x, &y, &Evaluate::new()).unwrap().get("loss"); 3]);
}

#[test]
fn each_trial_trains_on_one_rank_and_all_ranks_share_the_work() {
    let (x, y) = circle();
    let counts = threads(3, |world| {
        let epochs = Mutex::new(vec![0; 9]);
        let build = |hp: &mut HyperParameters| -> Built {
            let place = hp.integer("units", 1..=9)? - 1;
            let mut model = Sequential::new().add(Dense::new(place + 1)).add(Dense::new(1));
            model.compile(Sgd::new(0.01), MeanSquaredError::new(), ())?;
            let epochs = &epochs;
            let count = LambdaCallback::new().on_epoch_end(move |_| {
                epochs.lock().unwrap()[place] += 1;
                Ok(Flow::Continue)
            });
            Ok((model, Fit::new().epochs(9).validation_split(0.25).callback(count)))
        };
        let search = Search::grid().points(9).halving(3).distributed(world);
        let results = search.run(&x, &y, build).unwrap();
        let trained: Vec<usize> = results.trials().iter().map(|trial| trial.epochs()).collect();
        drop(results);
        (epochs.into_inner().unwrap(), trained)
    });
    let trained = &counts[0].1;
    assert_eq!(trained.iter().sum::<usize>(), 6 + 3 + 3 + 9);
    for (place, epochs) in trained.iter().enumerate() {
        assert_eq!(
            counts.iter().map(|(own, _)| own[place]).sum::<usize>(),
            *epochs,
            "each epoch exactly once"
        );
    }
    // Each rank trains three of the nine trials in the first rung, and one of the three that are left.
    for (own, _) in &counts {
        let trials = own.iter().filter(|epochs| **epochs > 0).count();
        assert!((3..=4).contains(&trials), "{counts:?}");
        assert!(own.iter().sum::<usize>() >= 3 + 2, "{counts:?}");
    }
}

#[test]
fn a_failed_trial_is_recorded_equally_on_all_ranks() {
    let (x, y) = circle();
    let build = |hp: &mut HyperParameters| -> Built {
        let kind = hp.choice("kind", ["good", "diverges", "breaks", "stops", "unbuilt"])?;
        if kind == "unbuilt" {
            return Err(Error::outside(std::io::Error::other("no such network")));
        }
        let mut model = Sequential::new().add(Dense::new(4)).add(Dense::new(1));
        let rate = if kind == "diverges" { 1e30 } else { 0.01 };
        model.compile(Sgd::new(rate), MeanSquaredError::new(), ())?;
        let callback = LambdaCallback::new().on_epoch_end(move |at| match kind {
            "breaks" if at.epoch == 1 => {
                Err(Error::outside(std::io::Error::other("part-3.npy: no such file")))
            }
            "stops" => Ok(Flow::Stop("enough".into())),
            _ => Ok(Flow::Continue),
        });
        Ok((model, Fit::new().epochs(4).validation_split(0.25).callback(callback)))
    };
    let alone = Search::grid().run(&x, &y, build).unwrap();
    let found = threads(3, |world| Search::grid().distributed(world).run(&x, &y, build).unwrap());
    for found in &found {
        assert_eq!(all_of(found), all_of(&alone));
        assert!(matches!(found.trials()[1].error(), Some(Error::Diverged { .. })), "{:?}", found.trials()[1]);
        assert!(
            found.to_csv().contains("part-3.npy: no such file") && found.to_csv().contains("no such network")
        );
    }
    // If no trial could be trained, all ranks return the same error.
    let broken = |hp: &mut HyperParameters| -> Built {
        hp.boolean("choice")?;
        let callback =
            LambdaCallback::new().on_epoch_end(|_| Err(Error::outside(std::io::Error::other("full"))));
        let mut model = Sequential::new().add(Dense::new(1));
        model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
        Ok((model, Fit::new().callback(callback).validation_split(0.25)))
    };
    let ends =
        threads(3, |world| Search::grid().distributed(world).run(&x, &y, broken).unwrap_err().to_string());
    assert_eq!(ends, ["full"; 3]);
}

#[test]
fn different_searches_are_detected_before_training() {
    let (x, y) = circle();
    let differs = |change: fn(usize, Search<'static>) -> Search<'static>, rows: fn(usize) -> usize| {
        threads(3, |world| {
            let rows = rows(world.rank());
            let (x, y) = (x.slice_axis(Axis(0), (..rows).into()), y.slice_axis(Axis(0), (..rows).into()));
            let search: Search = change(world.rank(), Search::random(3));
            search.distributed(world).run(&x, &y, network).unwrap_err().to_string()
        })
    };
    let check = |found: Vec<String>, what: &str| {
        assert!(found.iter().all(|other| *other == found[0] && other.contains(what)), "{found:?}");
        assert!(found.iter().all(|found| found.starts_with("rank 2 differs from rank 0 in ")), "{found:?}");
    };
    let other = |rank, search: Search<'static>| if rank == 2 { search.seed(1) } else { search };
    check(differs(other, |_| 120), "seed: expected 0, found 1");
    let other = |rank, search: Search<'static>| if rank == 2 { search.halving(3) } else { search };
    check(differs(other, |_| 120), "halving: expected None");
    check(differs(|_, search| search, |rank| if rank == 2 { 119 } else { 120 }), "x: expected 120 samples");

    let found = threads(2, |world| {
        let build =
            |hp: &mut HyperParameters| network(hp).map(|(model, fit)| (model, fit.distributed(world)));
        Search::random(2).distributed(world).run(&x, &y, build).unwrap_err().to_string()
    });
    assert!(found[0].contains("`build`: expected a fit on one rank"), "{found:?}");
    let found = threads(2, |world| {
        let objective = if world.rank() == 1 { "val_los" } else { "val_loss" };
        Search::random(2)
            .objective(objective)
            .distributed(world)
            .run(&x, &y, network)
            .unwrap_err()
            .to_string()
    });
    assert!(found[0].starts_with("rank 1: ") && found[0].contains("val_los"), "{found:?}");
}

#[test]
fn a_rank_that_ends_or_panics_ends_the_search_on_all() {
    let (x, y) = circle();
    for gone in 0..3 {
        let found = threads(3, |world| {
            if world.rank() == gone {
                return "gone".to_string();
            }
            let search = Search::random(3).distributed(world);
            search.run(&x, &y, network).map_or_else(|error| error.to_string(), |_| "found".into())
        });
        for (rank, found) in found.iter().enumerate().filter(|(rank, _)| *rank != gone) {
            assert!(found.ends_with("it has ended"), "on rank {rank}: {found}");
        }
    }
    let ended = Mutex::new(Vec::new());
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        threads(2, |world: &ThreadRank| {
            let build = |hp: &mut HyperParameters| {
                let callback = LambdaCallback::new().on_epoch_end(|_| panic!("on purpose"));
                let (model, fit) = network(hp)?;
                Ok((model, if world.rank() == 1 { fit.callback(callback) } else { fit }))
            };
            let found = Search::random(2).distributed(world).run(&x, &y, build);
            ended.lock().unwrap().push(found.unwrap_err().to_string());
        })
    }));
    assert!(caught.is_err());
    assert_eq!(*ended.lock().unwrap(), ["rank 1: it has ended"]);
}

/// Ranks with little patience.
#[derive(Debug)]
struct Hasty<'m> {
    rank: usize,
    size: usize,
    mail: &'m Mutex<Vec<VecDeque<Vec<u8>>>>,
    news: &'m Condvar,
}

impl Communicator for Hasty<'_> {
    fn rank(&self) -> usize {
        self.rank
    }
    fn size(&self) -> usize {
        self.size
    }
    fn send(&self, to: usize, bytes: &[u8]) -> Result<()> {
        self.mail.lock().unwrap()[to * self.size + self.rank].push_back(bytes.to_vec());
        self.news.notify_all();
        Ok(())
    }
    fn receive(&self, from: usize) -> Result<Vec<u8>> {
        let place = self.rank * self.size + from;
        let empty = |mail: &mut Vec<VecDeque<_>>| mail[place].is_empty();
        let wait =
            self.news.wait_timeout_while(self.mail.lock().unwrap(), Duration::from_millis(2500), empty);
        wait.unwrap().0[place]
            .pop_front()
            .ok_or_else(|| RankFault::Failed { rank: from, cause: "no message".into() }.into())
    }
}

#[test]
fn a_trial_may_take_longer_than_the_patience_of_other_ranks() {
    let (x, y) = circle();
    let (size, news) = (3, Condvar::new());
    let mail = Mutex::new(vec![VecDeque::new(); size * size]);
    let search = |rank, slow: usize| {
        let world = Hasty { rank, size, mail: &mail, news: &news };
        let build = |hp: &mut HyperParameters| {
            let (model, fit) = network(hp)?;
            let wait = LambdaCallback::new().on_epoch_end(move |at| {
                if rank == slow && at.epoch == 0 {
                    std::thread::sleep(Duration::from_millis(3500));
                }
                Ok(Flow::Continue)
            });
            Ok((model, fit.epochs(2).callback(wait)))
        };
        Search::random(3).distributed(&world).run(&x, &y, build).map(|results| results.to_csv())
    };
    for slow in [0, 2] {
        let found: Vec<Result<String>> = std::thread::scope(|scope| {
            let search = &search;
            let ranks: Vec<_> = (0..size).map(|rank| scope.spawn(move || search(rank, slow))).collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        });
        let first = found[0].as_ref().unwrap();
        assert!(found.iter().all(|other| other.as_ref().unwrap() == first));
    }
}

#[test]
fn reading_data_may_take_longer_than_the_patience_of_other_ranks() {
    let (size, news) = (3, Condvar::new());
    let mail = Mutex::new(vec![VecDeque::new(); size * size]);
    let read = |rank| {
        let world = Hasty { rank, size, mail: &mail, news: &news };
        together(&world, || {
            std::thread::sleep(Duration::from_millis(if rank == 1 { 3500 } else { 1 }));
            Ok(rank)
        })
    };
    let found: Vec<Result<usize>> = std::thread::scope(|scope| {
        let read = &read;
        let ranks: Vec<_> = (0..size).map(|rank| scope.spawn(move || read(rank))).collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    });
    assert!(found.iter().all(Result::is_ok), "{found:?}");
}
