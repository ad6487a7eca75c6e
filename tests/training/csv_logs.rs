//! CSV logs that continue a file: every number stands under its name, or the training is refused.

use std::path::PathBuf;

use cornu::metric::IntoMetrics;
use cornu::ndarray::{Array2, array};
use cornu::prelude::*;

fn path(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("csv-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

fn data() -> (Array2<f32>, Array2<f32>) {
    (array![[1.0], [2.0], [3.0]], array![[2.0], [4.0], [6.0]])
}

/// Trains one epoch from weights that stay 0.
fn train(metrics: impl IntoMetrics<f32>, fit: Fit) -> Result<History> {
    let (x, y) = data();
    let mut model = Sequential::new().seed(1).input([1]).add(Dense::new(1).name("F1"));
    model.compile(Sgd::new(0.0), MeanSquaredError::new(), metrics)?;
    model.set_weight("F1/kernel", &array![[0.0f32]])?;
    model.fit(&x, &y, &fit.verbose(Verbose::Silent).diagnose(Diagnose::Off))
}

/// Appends to a file with this content, and returns the new content.
fn appended(before: &str, metrics: impl IntoMetrics<f32>, fit: Fit) -> String {
    let path = path("accepted.csv");
    std::fs::write(&path, before).unwrap();
    train(metrics, fit.callback(CsvLogger::new(&path).append(true))).unwrap();
    std::fs::read_to_string(&path).unwrap()
}

const ROOT: &str = "4.320493698120117";

#[test]
fn numbers_go_under_their_names_in_any_order() {
    let rmse = || [RootMeanSquaredError::new()];
    let loss = "18.666666666666668";
    for header in [
        "epoch,loss,root_mean_squared_error",
        "epoch,loss,val_loss,root_mean_squared_error,val_root_mean_squared_error",
        "epoch,root_mean_squared_error,loss,val_root_mean_squared_error,val_loss",
        "\u{feff}epoch,\"loss\",root_mean_squared_error",
    ] {
        for end in ["\n", "\r\n", "\n0,1.0", "\n0,1.0\n", ""] {
            let text = appended(&format!("{header}{end}"), rmse(), Fit::new());
            let (before, line) = text.trim_end().rsplit_once('\n').unwrap();
            assert_eq!(before.trim_end(), format!("{header}{end}").trim_end());
            let columns: Vec<&str> = header.trim_start_matches('\u{feff}').split(',').collect();
            let values: Vec<&str> = line.split(',').collect();
            assert_eq!(values.len(), columns.len(), "{text}");
            for (column, value) in columns.into_iter().zip(values) {
                match column.trim_matches('"') {
                    "epoch" => assert_eq!(value, "0"),
                    "loss" => assert_eq!(value, loss),
                    "root_mean_squared_error" => assert!(value.starts_with(&ROOT[..6]), "{text}"),
                    _ => assert_eq!(value, "NA"),
                }
            }
        }
    }
    let fresh = appended("", rmse(), Fit::new());
    assert!(fresh.starts_with("epoch,loss,root_mean_squared_error,val_loss,"), "{fresh}");
    let validated = appended("epoch,val_loss,loss\n", (), Fit::new().validation_split(0.4));
    assert_eq!(validated, "epoch,val_loss,loss\n0,26.0,4.0\n");
}

#[test]
fn a_file_with_other_columns_is_refused_and_stays_as_it_is() {
    let path = path("refused.csv");
    for before in [
        "epoch,loss\n0,1.0\n",
        "epoch,accuracy,loss,precision\n",
        "epoch,accuracy,loss,loss\n",
        "epoch;accuracy;loss\n",
        "accuracy,loss\n",
        "0,1.0,0.5\n",
        "epoch,accuracy,lo",
        "\n",
        "# Notes\nThis is no log.\n",
        "epoch,\"accuracy,loss",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into_iter()
    .chain([
        vec![0xff, 0, 1, 2],
        vec![b'a'; 1 << 21],
        vec![b','; 1 << 21],
        [&[b'"'][..], &[b'\n'; 1 << 21]].concat(),
    ]) {
        std::fs::write(&path, &before).unwrap();
        let refused = train([Accuracy::new()], Fit::new().callback(CsvLogger::new(&path).append(true)));
        let text = String::from_utf8_lossy(&before[..before.len().min(30)]).into_owned();
        assert!(matches!(refused, Err(Error::Argument { argument: "append", .. })), "{text}: {refused:?}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    // A new file is what the user chose here.
    train([Accuracy::new()], Fit::new().callback(CsvLogger::new(&path))).unwrap();
    assert!(
        std::fs::read_to_string(&path).unwrap().starts_with("epoch,accuracy,loss,val_accuracy,val_loss\n0,")
    );
    // A callback that is refused later leaves the file, too.
    let before = std::fs::read(&path).unwrap();
    let impossible = EarlyStopping::new().monitor("los");
    assert!(
        train([Accuracy::new()], Fit::new().callback(CsvLogger::new(&path)).callback(impossible)).is_err()
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn the_keys_of_callbacks_are_columns() {
    let path = path("callbacks.csv");
    let score = |key: &'static str| {
        LambdaCallback::new().on_epoch_end(move |at| {
            at.logs.set(key, 2.5);
            Ok(Flow::Continue)
        })
    };
    let log = || CsvLogger::new(&path).append(true);
    let plateau = || ReduceLearningRateOnPlateau::new().monitor("loss");
    train((), Fit::new().callback(plateau()).callback(score("score")).callback(log())).unwrap();
    train((), Fit::new().callback(plateau()).callback(score("score")).callback(log())).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("epoch,learning_rate,loss,score,val_learning_rate,"), "{text}");
    assert_eq!(lines[1], lines[2]);
    // Without the callbacks, their columns cannot be filled.
    let refused = train((), Fit::new().callback(log()));
    assert!(matches!(refused, Err(Error::Argument { argument: "append", .. })), "{refused:?}");
    // A key without a column is reported, since only the callback knows it.
    let mut log = log();
    train((), Fit::new().callback(plateau()).callback(score("other")).callback(&mut log)).unwrap();
    assert_eq!(log.failures().len(), 1);
    assert!(log.failures()[0].to_string().contains("`other`"), "{}", log.failures()[0]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().last().unwrap().split(',').nth(3), Some("NA"), "{text}");
}

#[test]
fn a_log_that_was_deleted_gets_its_header_again() {
    let path = path("deleted.csv");
    let delete = LambdaCallback::new().on_epoch_begin(|at| match at.epoch {
        2 => std::fs::remove_file(&path).map_err(Error::outside),
        _ => Ok(()),
    });
    train((), Fit::new().epochs(3).callback(CsvLogger::new(&path)).callback(delete)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("epoch,loss,val_loss\n2,"), "{text}");
}
