//! Trainings of several processes under `mpirun`, with and without faults. Each test restarts this program on several
//! ranks; `program` then runs the requested task.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use cornu::distributed::mpi::{World, launch};
use cornu::distributed::{Communicator, scatter, threads, together};
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;
use cornu::selection::{HyperParameters, Search};

use crate::clouds::clouds;

const TASK: &str = "CORNU_TEST_TASK";
const FOLDER: &str = "CORNU_TEST_FOLDER";

fn network<F: Scalar>(seed: u64) -> Result<Sequential<F>> {
    let mut model = Sequential::with_scalar()
        .seed(seed)
        .add(Dense::new(40).activation(Activation::Tanh).kernel_regularizer(Regularizer::L2(1e-3)))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.2))
        .add(Dense::new(3).activation(Activation::Softmax));
    let rule = Sgd::new(0.05).momentum(0.9).global_clip_norm(0.5);
    model.compile(rule, SparseCategoricalCrossentropy::new(), (Accuracy::new(), F1Score::new()))?;
    Ok(model)
}

fn fit<'w, F: Scalar>() -> Fit<'w, F> {
    Fit::new().epochs(5).batch_size(8).validation_split(0.2).verbose(Verbose::Silent)
}

/// Losses, metrics and weights, one per line.
fn lines<F: Scalar>(model: &Sequential<F>, history: &History) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for name in history.names() {
        lines.extend(history.get(name).into_iter().flatten().map(|value| format!("{name} {value:e}")));
    }
    for (path, weights) in model.weights()? {
        lines.extend(weights.iter().map(|weight| format!("{path} {:e}", weight.as_f64())));
    }
    Ok(lines)
}

fn train<F: Scalar>(world: &World) -> Result<()> {
    let (x, y) = clouds::<F>();
    let mut model = network::<F>(4)?;
    let stop = EarlyStopping::new().monitor("val_loss").patience(9).restore_best_weights(true);
    let history = model.fit(&x, &y, &fit().callback(stop).distributed(world))?;
    let file = folder().join(format!("{}-{}-{}", F::NAME, world.size(), world.rank()));
    std::fs::write(file, lines(&model, &history)?.join("\n")).map_err(Error::outside)
}

/// Trains with gradients that are summed in the background in buckets, and in a single sum.
fn sum_in_buckets(world: &World) -> Result<()> {
    let mut rng = Rng::new(3);
    let x = Array2::from_shape_fn((50, 200), |_| rng.normal());
    let y = Array1::from_iter((0..50).map(|i| (i * i % 3) as f64));
    let mut all = Vec::new();
    for bytes in [usize::MAX, 1 << 16, 1 << 17, 1] {
        let hidden = [128, 128].map(|units| Dense::<f64>::new(units).activation(Activation::Relu));
        let model = hidden.into_iter().fold(Sequential::with_scalar().seed(2), Sequential::add);
        let mut model =
            model.add(BatchNormalization::new()).add(Dense::new(130)).add(Dense::new(3)).add(Softmax::new());
        model.compile(
            Sgd::new(0.01).momentum(0.9),
            SparseCategoricalCrossentropy::new(),
            [Accuracy::new()],
        )?;
        let history = model.fit(&x, &y, &fit().epochs(2).bucket_bytes(bytes).distributed(world))?;
        all.push(lines(&model, &history)?.join("\n"));
    }
    std::fs::write(folder().join(format!("buckets-{}", world.rank())), all.join("\n\n"))
        .map_err(Error::outside)
}

/// Scatters the data of rank 0, and trains and evaluates on the shards, with local steps.
fn on_shards(world: &impl Communicator) -> Result<Vec<String>> {
    let (x, y) = clouds::<f64>();
    let has = world.rank() == 0;
    let read = || Ok((scatter(world, has.then_some(&x))?, scatter(world, has.then_some(&y))?));
    let (x, y) = together(world, read)?;
    let mut model = network::<f64>(4)?;
    let history = model.fit(&x, &y, &fit().sync_every(2).sharded(world))?;
    let mut all = lines(&model, &history)?;
    let evaluated = model.evaluate(&x, &y, &Evaluate::new().sharded(world))?;
    all.extend(evaluated.iter().map(|(name, value)| format!("{name} {value:e}")));
    Ok(all)
}

fn shards_and_search(world: &World) -> Result<()> {
    let write = |name, text: String| {
        std::fs::write(folder().join(format!("{name}-{}", world.rank())), text).map_err(Error::outside)
    };
    write("shards", on_shards(world)?.join("\n"))?;
    let (x, y) = clouds::<f64>();
    write("search", search().distributed(world).run(&x, &y, trial)?.to_csv())
}

fn search<'w>() -> Search<'w> {
    Search::random(6).seed(3).halving(2)
}

fn trial<'a>(hp: &mut HyperParameters) -> Result<(Sequential<f64>, Fit<'a, f64>)> {
    let mut model = Sequential::with_scalar().add(Dense::new(hp.integer("units", 2..=9)?)).add(Dense::new(3));
    let loss = SparseCategoricalCrossentropy::new().from_logits(true);
    model.compile(Sgd::new(hp.log_uniform("learning_rate", 1e-3..=0.1)?), loss, ())?;
    Ok((model, Fit::new().epochs(4).batch_size(8).validation_split(0.2)))
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var(FOLDER).unwrap_or_default())
}

/// Causes a fault on rank 1 in the middle of a training.
fn fault(world: &World, what: &str) -> Result<()> {
    let (x, y) = clouds::<f32>();
    let source = source_fn(43, [4], [1], |index, to: &mut [f32], label: &mut [f32]| {
        if world.rank() == 1 && index == 42 {
            eprintln!("rank 1 fails now");
            match what {
                "error" => return Err(Error::outside(std::io::Error::other("part-1.npy: no such file"))),
                "panic" => panic!("out of luck"),
                "exit" => std::process::exit(3),
                "abort" => std::process::abort(),
                "hang" => loop {
                    std::thread::sleep(Duration::from_secs(1));
                },
                _ => {}
            }
        }
        to.iter_mut().zip(x.row(index)).for_each(|(to, from)| *to = *from);
        label[0] = y[index];
        Ok(())
    });
    let seed = if what == "seed" && world.rank() == 1 { 5 } else { 4 };
    let mut model = network::<f32>(seed)?;
    let fit = Fit::new().epochs(5).batch_size(43).verbose(Verbose::Silent).distributed(world);
    model.fit_source(&source, &fit).map(drop)
}

#[test]
#[ignore = "started by the other tests, under mpirun"]
fn program() {
    let task = std::env::var(TASK).unwrap();
    launch(|world| match &*task {
        "train" => train::<f32>(world).and_then(|()| train::<f64>(world)),
        "buckets" => sum_in_buckets(world),
        "shards" => shards_and_search(world),
        "before" if world.rank() == 1 => Err(Error::outside(std::io::Error::other("no data here"))),
        "before" => fault(world, "none"),
        what => fault(world, what),
    });
}

fn start(ranks: usize, task: &str, folder: &std::path::Path) -> (Output, Duration) {
    let began = Instant::now();
    // Only with these options does Open MPI start more ranks than there are cores, and run as root.
    let version = Command::new("mpirun").arg("--version").output().unwrap();
    let is_open = String::from_utf8_lossy(&version.stdout).contains("Open MPI");
    let output = Command::new("mpirun")
        .args(["--oversubscribe", "--allow-run-as-root"].iter().filter(|_| is_open))
        .args(["-n", &ranks.to_string()])
        .arg(std::env::current_exe().unwrap())
        .args(["mpirun::program", "--exact", "--ignored", "--nocapture"])
        .env(TASK, task)
        .env(FOLDER, folder)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    (output, began.elapsed())
}

fn check_close(found: &str, expected: &[String], bound: f64, what: &str) {
    let parse = |line: &str| {
        let (name, value) = line.split_once(' ').unwrap();
        (name.to_string(), value.parse::<f64>().unwrap())
    };
    let found: Vec<_> = found.lines().map(parse).collect();
    let expected: Vec<_> = expected.iter().map(|line| parse(line)).collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for ((name, value), (expected_name, wanted)) in found.iter().zip(&expected) {
        let same = expected.iter().filter(|(other, _)| other == name);
        let largest = same.fold(1e-30_f64, |most, (_, value)| most.max(value.abs()));
        assert_eq!(name, expected_name, "{what}");
        assert!((value - wanted).abs() <= bound * largest, "{what}: {name} is {value:e} and not {wanted:e}");
    }
}

#[test]
fn one_two_and_four_processes_train_like_one() {
    fn alone<F: Scalar>() -> Vec<String> {
        let (x, y) = clouds::<F>();
        let mut model = network::<F>(4).unwrap();
        let stop = EarlyStopping::new().monitor("val_loss").patience(9).restore_best_weights(true);
        let history = model.fit(&x, &y, &fit().callback(stop)).unwrap();
        lines(&model, &history).unwrap()
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ranks");
    std::fs::create_dir_all(&folder).unwrap();
    for ranks in [1, 2, 4] {
        let run = || {
            let (output, _) = start(ranks, "train", &folder);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let read = |name: &str, rank| {
                std::fs::read_to_string(folder.join(format!("{name}-{ranks}-{rank}"))).unwrap()
            };
            ["f32", "f64"].map(|name| (0..ranks).map(|rank| read(name, rank)).collect::<Vec<_>>())
        };
        let first = run();
        for (name, found, expected, bound) in
            [("f32", &first[0], alone::<f32>(), 1e-5), ("f64", &first[1], alone::<f64>(), 1e-11)]
        {
            assert!(found.iter().all(|other| *other == found[0]), "{name}: ranks differ of {ranks}");
            check_close(&found[0], &expected, bound, &format!("{name} on {ranks} ranks"));
            assert!(ranks > 1 || found[0] == expected.join("\n"), "one rank equals no ranks");
        }
        assert_eq!(run(), first, "not reproducible on {ranks} ranks");
    }
}

#[test]
fn background_sums_equal_a_single_sum_and_are_reproducible() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("buckets");
    std::fs::create_dir_all(&folder).unwrap();
    for ranks in [2, 3, 4] {
        let run = || {
            let (output, _) = start(ranks, "buckets", &folder);
            assert!(output.status.success(), "{ranks} ranks: {}", String::from_utf8_lossy(&output.stderr));
            let read = |rank| std::fs::read_to_string(folder.join(format!("buckets-{rank}"))).unwrap();
            (0..ranks).map(read).collect::<Vec<_>>()
        };
        let first = run();
        assert!(first.iter().all(|other| *other == first[0]), "{ranks} ranks differ");
        let trainings: Vec<_> = first[0].split("\n\n").collect();
        let numbers = |training: &str| -> Vec<f64> {
            training.lines().filter_map(|line| line.split_once(' ')?.1.parse().ok()).collect()
        };
        let whole = numbers(trainings[0]);
        for found in trainings.iter().map(|training| numbers(training)) {
            let far = found.iter().zip(&whole).map(|(f, w)| (f - w).abs()).fold(0.0, f64::max);
            assert!(found.len() == whole.len() && far < 1e-11, "buckets on {ranks} ranks are off by {far:e}");
        }
        assert_eq!(run(), first, "not reproducible on {ranks} ranks");
    }
}

#[test]
fn shards_train_like_threads_and_searches_like_one_process() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shards");
    std::fs::create_dir_all(&folder).unwrap();
    let (x, y) = clouds::<f64>();
    let found_alone = search().run(&x, &y, trial).unwrap().to_csv();
    for ranks in [1, 2, 4] {
        let (output, _) = start(ranks, "shards", &folder);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |name: &str, rank| std::fs::read_to_string(folder.join(format!("{name}-{rank}"))).unwrap();
        let expected = threads(ranks, |world| on_shards(world).unwrap());
        for (rank, expected) in expected.iter().enumerate() {
            assert_eq!(read("shards", rank), read("shards", 0), "ranks differ of {ranks}");
            check_close(&read("shards", rank), expected, 1e-11, &format!("shards of {ranks} ranks"));
            assert_eq!(read("search", rank), found_alone, "a search on {ranks} ranks");
        }
    }
}

/// Expects one message with rank 1 and the cause, a nonzero exit code, and no hang.
#[track_caller]
fn check_fault(task: &str, expected: Option<&str>) {
    for ranks in [2, 4] {
        let (output, time) = start(ranks, task, &PathBuf::new());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{task} on {ranks} ranks: {text}");
        assert!(time < Duration::from_secs(30), "{task} on {ranks} ranks took {time:?}");
        let own: Vec<_> = text.lines().filter(|line| line.starts_with("error: ")).collect();
        match expected {
            Some(expected) => {
                assert_eq!(own.len(), 1, "{task} on {ranks} ranks: {text}");
                assert!(own[0].starts_with(expected), "{task} on {ranks} ranks: {text}");
            }
            // If a process dies, the launcher prints its own message.
            None => {
                assert!(
                    own.is_empty() && text.contains("rank 1 fails now"),
                    "{task} on {ranks} ranks: {text}"
                )
            }
        }
    }
}

#[test]
fn an_error_on_one_process_ends_all_with_one_message() {
    check_fault("error", Some("error: rank 1: part-1.npy: no such file"));
    check_fault("before", Some("error: rank 1: no data here"));
    check_fault("panic", Some("error: rank 1: panicked: out of luck"));
    check_fault("seed", Some("error: rank 1 differs from rank 0 in seed: expected 4, found 5"));
}

#[test]
fn a_process_that_dies_ends_all() {
    check_fault("exit", None);
    check_fault("abort", None);
}

#[test]
fn a_process_that_hangs_ends_all() {
    check_fault("hang", Some("error: rank 1: did not respond for 25 s"));
}
