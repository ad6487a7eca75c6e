//! CSV tables.

use super::*;
use cornu::data::{Column, Csv, Missing};
use cornu::error::FileError;
use cornu::prelude::*;

#[test]
fn files_agree_with_pandas() {
    for name in ["plain.csv", "crlf.csv", "plain.tsv", "plain.csv.gz"] {
        let csv = Csv::new(file(name)).label("species").categorical("colour");
        check(name, &csv.read().unwrap(), 0.0);
    }
    let csv = Csv::new(file("semicolon.csv")).delimiter(b';').label("species").categorical("colour");
    check("semicolon.csv", &csv.read().unwrap(), 0.0);
    let csv = Csv::new(file("numbers.csv")).header(false).label(0);
    check("numbers.csv", &csv.read().unwrap(), 0.0);
}

#[test]
fn missing_values_are_filled_like_scikit_learn() {
    for (word, missing) in [
        ("mean", Missing::Mean),
        ("median", Missing::Median),
        ("most_frequent", Missing::MostFrequent),
        ("drop", Missing::DropRow),
    ] {
        let csv = Csv::new(file("holes.csv")).label("species").missing(missing);
        check(&format!("holes.csv {word}"), &csv.read().unwrap(), 1e-12);
    }
}

#[test]
fn a_stream_returns_the_same_rows() {
    for name in ["plain.csv", "crlf.csv", "plain.tsv", "plain.csv.gz"] {
        let csv = Csv::new(file(name)).label("species").categorical("colour");
        streams(&csv.source().unwrap(), &csv.read().unwrap());
    }
    for missing in [Missing::Mean, Missing::Value(-1.0), Missing::DropRow] {
        let csv = Csv::new(file("holes.csv")).label("species").missing(missing);
        streams(&csv.source().unwrap(), &csv.read().unwrap());
    }
    let csv = Csv::new(file("numbers.csv")).header(false).label(0).target(3).target(1);
    streams(&csv.source().unwrap(), &csv.read().unwrap());
    let packed = Csv::new(file("plain.csv.gz")).label("species").categorical("colour");
    streams(&packed.clone().scratch(env!("CARGO_TARGET_TMPDIR")).source().unwrap(), &packed.read().unwrap());
    assert!(matches!(packed.scratch("/no/such").source(), Err(Error::File(_))));
    let median = Csv::new(file("holes.csv")).label("species").missing(Missing::Median).source();
    assert!(matches!(median, Err(Error::Argument { argument: "missing", .. })));
}

#[test]
fn errors_name_the_line_and_the_column() {
    let refused = |text: &str, change: &dyn Fn(Csv) -> Csv| {
        change(Csv::new(written("fault.csv", text.as_bytes()))).read().unwrap_err()
    };
    let plain = |csv: Csv| csv;
    let error = refused("a,b\n1,2\n\n3,x\n", &plain);
    let Error::File(FileError::Value { row: 1, line, column, found, .. }) = &error else { panic!("{error}") };
    assert_eq!((line.unwrap().get(), &**column, &**found), (4, "b", "`x`"), "{error}");
    let error = refused("a,b\n1,2\n3,\n", &plain);
    assert!(error.to_string().contains("line 3, column `b`: expected a number"), "{error}");
    assert!(error.to_string().ends_with("found nothing"), "{error}");
    let error = refused("a,b\n1,2\n1\n", &plain);
    assert!(
        matches!(error, Error::File(FileError::Fields { line: 3, expected: 2, found: 1, .. })),
        "{error}"
    );
    let error = refused("a,b\n1,2\n", &|csv| csv.label("c"));
    assert!(
        matches!(error, Error::File(FileError::Column { ref known, .. }) if known == &["a", "b"]),
        "{error}"
    );
    let error = refused("a,b\n1,2\n", &|csv| csv.label(2));
    assert!(matches!(error, Error::File(FileError::Column { .. })), "{error}");
    let error = refused("1,2\n3,4\n", &plain);
    assert!(error.to_string().contains("line 1") && error.to_string().contains("header(false)"), "{error}");
    let error = refused("a,b\n1,2\n3,cat\n", &|csv| csv.target("b"));
    assert!(error.to_string().contains("`label` reads words"), "{error}");
    let error = refused("a,b\n1,\n2,cat\n", &|csv| csv.label("b").missing(Missing::Mean));
    assert!(error.to_string().contains("line 2, column `b`: expected a label, found nothing"), "{error}");
    let error = refused("a,b\n,1\nNA,2\n", &|csv| csv.missing(Missing::Mean));
    assert!(error.to_string().contains("expected a column with at least one value"), "{error}");
    assert!(refused("", &plain).to_string().contains("expected at least one line"));
    let bytes = Csv::new(written("bytes.csv", b"a,b\n1,\xff\n")).read().unwrap_err();
    assert!(bytes.to_string().contains("line 2, column 1: expected text in UTF-8"), "{bytes}");
    let absent = Csv::new("/no/such.csv").read().unwrap_err();
    assert!(
        matches!(absent, Error::File(FileError::Io { kind: std::io::ErrorKind::NotFound, .. })),
        "{absent}"
    );
    assert!(Csv::new(std::env::temp_dir()).read().unwrap_err().to_string().contains("not a regular file"));
    let empty = Csv::new(written("head.csv", b"a,b\n")).label("b").read().unwrap();
    assert_eq!((empty.count(), empty.x().shape()), (0, &[0, 1][..]));
}

#[test]
fn a_test_file_is_read_like_its_training_file() {
    let train = written("train.csv", b"size,colour,kind\n1,red,cat\n,blue,dog\n3,red,cat\n");
    let test = written("test.csv", b"size,colour,kind\n5,red,dog\n,,dog\n");
    let csv = |path| Csv::new(path).label("kind").categorical("colour").missing(Missing::Mean);
    let train = csv(train).read().unwrap();
    let found = csv(test).like(&train).read().unwrap();
    assert_eq!(found.x(), &cornu::ndarray::array![[5.0, 1.0], [2.0, 1.0]].into_dyn());
    assert_eq!(found.y().unwrap().as_slice(), Some(&[1.0, 1.0][..]));
    let path = written("test.csv", b"size,colour,kind\n5,red,dog\n,,dog\n");
    streams(&csv(path).like(&train).source().unwrap(), &found);
    let other = written("other.csv", b"size,colour,kind\n5,green,dog\n");
    let error = csv(other).like(&train).read().unwrap_err();
    assert!(
        error.to_string().contains("line 2, column `colour`") && error.to_string().contains("`blue`, `red`"),
        "{error}"
    );
    let other = written("other.csv", b"size,kind\n5,cow\n");
    let error = Csv::new(other).label("kind").like(&train).read().unwrap_err();
    assert!(error.to_string().contains("size, colour, found size"), "{error}");
}

#[test]
fn words_for_booleans_and_missing_values_are_recognized() {
    let path = written("words.csv", b"# a note\na,b,c\nTrue,?,1\nfalse,2, 3\n");
    let data =
        Csv::new(path).comment(b'#').missing_words(["?"]).missing(Missing::Value(-1.0)).target(Column::Last);
    let data = data.read().unwrap();
    assert_eq!(data.x(), &cornu::ndarray::array![[1.0, -1.0], [0.0, 2.0]].into_dyn());
    assert_eq!(data.y().unwrap().as_slice(), Some(&[1.0, 3.0][..]));
}

#[test]
fn a_stream_trains_like_the_same_arrays() {
    let csv = Csv::new(file("plain.csv")).label("species").categorical("colour");
    let (data, source) = (csv.read().unwrap(), csv.source().unwrap());
    let model = || {
        let mut model = Sequential::new().seed(2).add(Dense::new(3));
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        model.compile(Adam::new(0.01), loss, [Accuracy::new()]).unwrap();
        model
    };
    let fit = || Fit::new().epochs(3).batch_size(5).verbose(Verbose::Silent);
    let first = model().fit(data.x(), data.y().unwrap(), &fit()).unwrap();
    let second = model().fit_source(&source, &fit()).unwrap();
    assert_eq!(first.get("loss"), second.get("loss"));
}
