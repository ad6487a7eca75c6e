//! Data that comes batch by batch trains like the same data in memory, and errors are reported when a batch is read.

use cornu::data::{BatchSource, source_fn};
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

fn data() -> (Array2<f32>, Array1<f32>) {
    let mut rng = Rng::new(4);
    let x = Array2::from_shape_fn((53, 6), |_| rng.normal() as f32);
    (x, Array1::from_iter((0..53).map(|i| (i % 3) as f32)))
}

fn model() -> Sequential {
    let mut model =
        Sequential::new().seed(2).add(Dense::new(5).activation(Activation::Tanh)).add(Dense::new(3));
    let loss = SparseCategoricalCrossentropy::new().from_logits(true);
    model.compile(Adam::new(0.01), loss, [Accuracy::new()]).unwrap();
    model
}

fn fit<'a>() -> Fit<'a> {
    Fit::new().epochs(3).batch_size(8).verbose(Verbose::Silent)
}

fn source(x: &Array2<f32>, y: &Array1<f32>) -> impl BatchSource<f32> {
    source_fn(x.nrows(), [6], [1], |index, to: &mut [f32], target: &mut [f32]| {
        to.copy_from_slice(x.row(index).to_slice().unwrap());
        target[0] = y[index];
        Ok(())
    })
}

#[test]
fn a_source_trains_like_the_same_arrays() {
    let (x, y) = data();
    let source = source(&x, &y);
    for fit in [
        fit,
        || fit().validation_split(0.3),
        || fit().class_weight(ClassWeight::Balanced),
        || fit().shuffle(false).class_weight(ClassWeight::PerClass(vec![1.0, 2.0, 0.5])),
    ] {
        let (mut a, mut b) = (model(), model());
        let (first, second) = (a.fit(&x, &y, &fit()).unwrap(), b.fit_source(&source, &fit()).unwrap());
        assert_eq!(first.get("loss"), second.get("loss"));
        assert_eq!(first.get("val_accuracy"), second.get("val_accuracy"));
        let scores = a.evaluate(&x, &y, &Evaluate::new()).unwrap();
        assert_eq!(scores, b.evaluate_source(&source, &Evaluate::new()).unwrap());
    }
    let (mut a, mut b) = (model(), model());
    let first = a.fit(&x, &y, &fit().validation_data(&x, &y)).unwrap();
    let second = b.fit_source(&source, &fit().validation_source(&source)).unwrap();
    assert_eq!(first.get("val_loss"), second.get("val_loss"));
}

#[test]
fn a_source_can_be_chosen_at_run_time() {
    use cornu::data::Augment;
    let (x, y) = data();
    let pick = |noise: bool| -> Box<dyn BatchSource<f32> + '_> {
        match noise {
            true => Box::new(Augment::new(source(&x, &y)).jitter(0.5)),
            false => Box::new(source(&x, &y)),
        }
    };
    let (mut a, mut b) = (model(), model());
    let noisy = Augment::new(source(&x, &y)).jitter(0.5);
    let validation = pick(false);
    let first = a.fit_source(&noisy, &fit().validation_source(&source(&x, &y))).unwrap();
    let second = b.fit_source(&pick(true), &fit().validation_source(&validation)).unwrap();
    assert_eq!((first.get("loss"), first.get("val_loss")), (second.get("loss"), second.get("val_loss")));
    assert_ne!(first.get("loss"), model().fit_source(&validation, &fit()).unwrap().get("loss"));
}

#[test]
fn errors_in_a_batch_end_the_training() {
    let (mut x, mut y) = data();
    x[[40, 2]] = f32::NAN;
    let found = model().fit_source(&source(&x, &y), &fit()).unwrap_err();
    assert!(matches!(found, Error::NonFinite { row: 40, column: 2, .. }), "{found:?}");
    let (clean, _) = data();
    y[17] = 3.0;
    let found = model().fit_source(&source(&clean, &y), &fit()).unwrap_err();
    assert!(matches!(found, Error::Label { row: 17, classes: 3, .. }), "{found:?}");
    let fails = source_fn(9, [6], [1], |index, _: &mut [f32], _: &mut [f32]| match index {
        8 => Err(Error::outside(std::io::Error::other("the disk is gone"))),
        _ => Ok(()),
    });
    let found = model().fit_source(&fails, &fit()).unwrap_err();
    assert_eq!(found.to_string(), "the disk is gone");
    let empty = source_fn(0, [6], [1], |_, _: &mut [f32], _: &mut [f32]| Ok(()));
    assert!(matches!(model().fit_source(&empty, &fit()), Err(Error::Empty { .. })));
    let wrong = source_fn(9, [6], [2], |_, _: &mut [f32], _: &mut [f32]| Ok(()));
    assert!(matches!(model().fit_source(&wrong, &fit()), Err(Error::TargetShape { .. })));
}

#[cfg(feature = "npy")]
mod files {
    use super::*;
    use crate::npy::npy;
    use cornu::data::NpySource;
    use std::path::PathBuf;

    fn file(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("cornu-{name}-{}.npy", std::process::id()))
    }

    fn bytes<'a>(values: impl IntoIterator<Item = &'a f32>) -> Vec<u8> {
        values.into_iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Writes the samples and the targets.
    fn write(name: &str) -> [PathBuf; 2] {
        let (x, y) = data();
        let paths = [file(&format!("{name}-x")), file(&format!("{name}-y"))];
        std::fs::write(&paths[0], npy("<f4", false, &[53, 6], &bytes(&x))).unwrap();
        std::fs::write(&paths[1], npy("<f4", false, &[53], &bytes(&y))).unwrap();
        paths
    }

    #[track_caller]
    fn check<const N: usize>(kind: &str, number: impl Fn(f32) -> [u8; N]) {
        let whole = data().0.mapv(|x| (x * 10.0).round().abs());
        let [first, second] = write(&kind[1..]);
        let numbers: Vec<u8> = whole.iter().flat_map(|&x| number(x)).collect();
        std::fs::write(&first, npy(kind, false, &[53, 6], &numbers)).unwrap();
        let source = NpySource::open(&first, &second).unwrap();
        let mut x = vec![0.0f32; 18];
        source.fill(&[5, 0, 52], &mut x, &mut [0.0; 3]).unwrap();
        let expected = [5, 0, 52].map(|row| whole.row(row).to_vec()).concat();
        assert_eq!(x, expected, "{kind}");
        std::fs::remove_file(first).unwrap();
        std::fs::remove_file(second).unwrap();
    }

    #[test]
    fn every_number_type_is_read() {
        check("<f4", |x| x.to_le_bytes());
        check("<f8", |x| f64::from(x).to_le_bytes());
        check("|i1", |x| (x as i8).to_le_bytes());
        check("<i2", |x| (x as i16).to_le_bytes());
        check("<i4", |x| (x as i32).to_le_bytes());
        check("<i8", |x| (x as i64).to_le_bytes());
        check("|u1", |x| (x as u8).to_le_bytes());
        check("<u2", |x| (x as u16).to_le_bytes());
        check("<u4", |x| (x as u32).to_le_bytes());
        check("<u8", |x| (x as u64).to_le_bytes());
    }

    #[test]
    fn a_file_trains_like_the_same_arrays() {
        let (x, y) = data();
        let [first, second] = write("train");
        let source = NpySource::open(&first, &second).unwrap();
        let (mut a, mut b) = (model(), model());
        let expected = a.fit(&x, &y, &fit()).unwrap();
        let found = b.fit_source(&source, &fit()).unwrap();
        assert_eq!(found.get("loss"), expected.get("loss"));
        // A file that shrinks while it is in use.
        std::fs::OpenOptions::new().write(true).open(&first).unwrap().set_len(500).unwrap();
        assert!(matches!(b.fit_source(&source, &fit()), Err(Error::File(_))));
        assert!(matches!(NpySource::open(&first, &second), Err(Error::File(_))));
        std::fs::remove_file(first).unwrap();
        std::fs::remove_file(second).unwrap();
    }

    #[test]
    fn unsupported_files_are_refused() {
        let (x, _) = data();
        let [first, second] = write("refused");
        std::fs::remove_file(&first).unwrap();
        assert!(matches!(NpySource::open(&first, &second), Err(Error::File(_))));
        std::fs::write(&first, b"no numbers").unwrap();
        assert!(matches!(NpySource::open(&first, &second), Err(Error::File(_))));
        std::fs::write(&first, npy("<f4", false, &[9, 6], &bytes(x.iter().take(54)))).unwrap();
        assert!(matches!(NpySource::open(&first, &second), Err(Error::Length { x: 9, found: 53, .. })));
        std::fs::write(&first, npy("<f4", true, &[6, 53], &bytes(&x))).unwrap();
        assert!(matches!(NpySource::open(&first, &second), Err(Error::Argument { argument: "npy", .. })));
        std::fs::remove_file(first).unwrap();
        std::fs::remove_file(second).unwrap();
    }

    /// Trains on a file of 4 GiB and prints the peak memory of the process; it takes about a minute, and 4 GiB of disk:
    /// `cargo test --release --features npy --test data -- --ignored sources`.
    #[test]
    #[ignore = "needs 4 GiB of disk and a minute"]
    fn a_file_of_4_gib_takes_little_memory() {
        let (rows, width) = (64 * 1024, 16 * 1024);
        let (first, second) = (file("large-x"), file("large-y"));
        let header = npy("<f4", false, &[rows, width, 1], &[]);
        std::fs::write(&first, &header).unwrap();
        let whole = std::fs::OpenOptions::new().write(true).open(&first).unwrap();
        whole.set_len((header.len() + rows * width * 4) as u64).unwrap();
        let y: Vec<f32> = (0..rows).map(|row| (row % 3) as f32).collect();
        std::fs::write(&second, npy("<f4", false, &[rows], &bytes(&y))).unwrap();
        let source = NpySource::open(&first, &second).unwrap();
        let mut model = Sequential::new().seed(1).add(Flatten::new()).add(Dense::new(16)).add(Dense::new(3));
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        model.compile(Sgd::new(0.01), loss, ()).unwrap();
        model.fit_source(&source, &fit().epochs(1).batch_size(128)).unwrap();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
        println!("peak memory on a file of 4 GiB: {peak}");
        let kilobytes: u64 = peak.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
        assert!(kilobytes < 600 * 1024, "{peak}");
        std::fs::remove_file(first).unwrap();
        std::fs::remove_file(second).unwrap();
    }
}
