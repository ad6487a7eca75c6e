//! CSV files as people write them: quotes that are not closed, blank lines, separators, encodings, and words for missing
//! values.

use super::*;
use cornu::data::{Csv, Encoding, Missing};
use cornu::error::FileError;
use cornu::ndarray::array;
use cornu::prelude::*;
use std::io::Write;
use std::path::Path;

/// Checks that reading and streaming a file return this error.
#[track_caller]
fn refused(csv: &Csv, expected: &str) {
    for error in [csv.read().unwrap_err(), csv.source().unwrap_err()] {
        assert!(error.to_string().contains(expected), "{error}");
    }
}

fn gzip(path: &Path) -> std::path::PathBuf {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&std::fs::read(path).unwrap()).unwrap();
    written("packed.csv.gz", &packer.finish().unwrap())
}

/// Checks the text of every column of a file without a label.
#[track_caller]
fn rows(csv: &Csv, expected: &[f64]) {
    let data = csv.read().unwrap();
    assert_eq!(data.x().as_slice().unwrap(), expected);
    let source = csv.source().unwrap();
    let count = BatchSource::<f64>::count(&source);
    assert_eq!(count, data.count());
    let (mut x, order) = (vec![0.0; expected.len()], (0..count).rev().collect::<Vec<_>>());
    source.fill(&order, &mut x, &mut []).unwrap();
    let width = expected.len() / count;
    let reversed: Vec<f64> = expected.chunks(width).rev().flatten().copied().collect();
    assert_eq!(x, reversed);
}

#[test]
fn an_unclosed_quote_is_refused_with_its_line() {
    let open = "a quote that closes the one on this line, found the end of the file";
    for (text, line, problem) in [
        ("a,b\n1,2\n\"3,4\n5,6\n", 3, open),
        ("a,b\n1,\"2\n3,4\n5,6", 2, open),
        ("a,b\r\n1,2\r\n3,\"4\r\n5,6\r\n", 3, open),
        ("a,b\n\n\"x\ny\",\"2\n3,4\n", 4, open),
        ("\"a,b\n1,2\n3,4\n", 1, open),
        ("a,b\n1,\"", 2, open),
        ("a,b\n1,\"2\n3,\"\"\n5,6\n", 2, open),
        ("a,b\n1,\"x\n2,\"y\"\n3,z\n", 2, "after the quoted field that begins here, found `y`"),
        ("a,b\n1,\"6\" pipe\"\n", 2, "after the quoted field that begins here, found `p`"),
        ("a,b\n1,\"say \\\"no\\\"\"\n", 2, "after the quoted field that begins here, found `n`"),
    ] {
        let path = written("quote.csv", text.as_bytes());
        let expected = format!("quote.csv, line {line}: expected ");
        let csv = Csv::new(&path).categorical(0).categorical(1);
        refused(&csv, &expected);
        refused(&csv, problem);
        refused(&csv.clone().header(false), &expected);
        refused(&Csv::new(gzip(&path)).categorical(0).categorical(1), &format!("line {line}: expected "));
    }
    let path = written("quote.csv", b"a,b\n\"1\",\"x \"\"y\"\"\" \n2,\"two\nlines\"\n3,5\" nail\n");
    let data = Csv::new(path).categorical("b").read().unwrap();
    assert_eq!(data.categories("b").unwrap(), ["5\" nail", "two\nlines", "x \"y\""]);
}

#[test]
fn an_unclosed_quote_in_a_long_file_is_refused_with_its_line() {
    let line = |i: usize| format!("{i},{}\n", i % 7);
    for fault in [3, 70_000, 199_999] {
        let text: String =
            (0..200_000).map(|i| if i == fault { "\"5,6\n".into() } else { line(i) }).collect();
        let path = written("long.csv", format!("a,b\n{text}").as_bytes());
        refused(&Csv::new(path), &format!("line {}: expected a quote", fault + 2));
    }
}

#[test]
fn a_comment_follows_a_byte_order_mark() {
    let path = written("mark.csv", b"\xef\xbb\xbf# a note\n\"a\",b\n1,2\n");
    let data = Csv::new(path).comment(b'#').read().unwrap();
    assert_eq!((data.columns(), data.count()), (&["a".to_string(), "b".into()][..], 1));
    rows(&Csv::new(written("mark.csv", b"\xef\xbb\xbf1,2\n3,4\n")).header(false), &[1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn blank_lines_are_skipped_unless_the_table_has_one_column() {
    let two = Csv::new(written("blank.csv", b" \na,b\n\n1,2\n \t \r\n3,4\n  "));
    rows(&two, &[1.0, 2.0, 3.0, 4.0]);
    let tabs = written("blank.tsv", b"a\tb\n1\t2\n\t\n3\t4\n");
    rows(&Csv::new(tabs).missing(Missing::Value(9.0)), &[1.0, 2.0, 9.0, 9.0, 3.0, 4.0]);
    for text in ["\na\n1\n\n \t\n2\n\"\"\n3\n\n \n\n", "a\r\n1\r\n\r\n\t\r\n2\r\n\"\"\r\n3\r\n\r\n"] {
        let one = Csv::new(written("one.csv", text.as_bytes()));
        let line = if text.starts_with('\n') { 4 } else { 3 };
        refused(&one, &format!("line {line}, column `a`: expected a number"));
        rows(&one.clone().missing(Missing::Value(9.0)), &[1.0, 9.0, 9.0, 2.0, 9.0, 3.0]);
        rows(&one.missing(Missing::DropRow), &[1.0, 2.0, 3.0]);
    }
    let bare = Csv::new(written("bare.csv", b"\n1\n#\n\n2")).header(false).comment(b'#');
    rows(&bare.missing(Missing::Value(9.0)), &[9.0, 1.0, 9.0, 2.0]);
}

#[test]
fn blank_lines_of_a_long_column_are_rows_in_every_part() {
    let (mut text, mut expected) = (String::from("a\n"), Vec::new());
    for i in 0..60_000 {
        let blanks = if i % 30_000 == 29_999 { 300_000 } else { i % 3 };
        text.extend(std::iter::repeat_n('\n', blanks));
        text += &format!("{i}\n");
        expected.extend(std::iter::repeat_n(-1.0, blanks));
        expected.push(f64::from(i as u32));
    }
    text.extend(std::iter::repeat_n('\n', 600_000));
    let csv = Csv::new(written("column.csv", text.as_bytes())).missing(Missing::Value(-1.0));
    assert!(csv.read().unwrap().x().as_slice().unwrap() == expected);
    let wrong = written("column.csv", (text.clone() + "x\n").as_bytes());
    refused(&Csv::new(wrong).missing(Missing::Value(-1.0)), &format!("line {}, ", text.lines().count() + 1));
}

#[test]
fn words_for_missing_values_are_set_by_column() {
    let path = written("words.csv", b"a,colour,grade\n1,None,NA\nNA,red,A\n-,,B\n");
    let csv = Csv::new(&path).label("grade").missing(Missing::Value(0.0)).missing_words(["-"]);
    refused(&csv, "line 2, column `grade`: expected a label, found `NA`, which means a missing value unless");
    let csv = csv.missing_words_of("grade", ["?"]).ignore("colour");
    let data = csv.read().unwrap();
    assert_eq!(data.classes().unwrap(), ["A", "B", "NA"]);
    assert_eq!(data.x(), &array![[1.0], [0.0], [0.0]].into_dyn());
    streams(&csv.source().unwrap(), &data);
    let none: [&str; 0] = [];
    let csv =
        Csv::new(&path).ignore("a").ignore("grade").categorical("colour").missing_words_of("colour", none);
    assert_eq!(csv.clone().missing(Missing::DropRow).read().unwrap().count(), 2);
    let train = csv.missing(Missing::MostFrequent).read().unwrap();
    assert_eq!(train.categories("colour").unwrap(), ["None", "red"]);
    // A word that is a number in one column is a missing value in another.
    let path = written("words.csv", b"a,b\n-999,-999\n1,2\n");
    let csv = Csv::new(path).missing_words_of("a", ["-999"]).missing(Missing::Value(0.0));
    rows(&csv, &[0.0, -999.0, 1.0, 2.0]);
    let error = Csv::new(written("words.csv", b"a\nNAN\n")).read().unwrap_err();
    assert!(error.to_string().contains("found `NAN`"), "{error}");
}

#[test]
fn a_text_column_keeps_its_digits() {
    let path = written("zip.csv", b"zip,y\n02134,1\n2134,2\n10001,3\n");
    let data = Csv::new(&path).text("zip").target("y").read().unwrap();
    assert_eq!(data.categories("zip").unwrap(), ["02134", "10001", "2134"]);
    let label = Csv::new(&path).label("zip").text("zip");
    let train = label.read().unwrap();
    assert_eq!(train.classes().unwrap(), ["02134", "10001", "2134"]);
    assert_eq!(train.y().unwrap().as_slice().unwrap(), [0.0, 2.0, 1.0]);
    streams(&label.source().unwrap(), &train);
    let test = Csv::new(&path).label("zip").like(&train).read().unwrap();
    assert_eq!(test.y().unwrap(), train.y().unwrap());
    let error = Csv::new(&path).target("y").text("y").read().unwrap_err();
    assert!(matches!(error, Error::Argument { argument: "text", .. }), "{error}");
    let error = Csv::new(&path).text("town").read().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Column { .. })), "{error}");
}

#[test]
fn numbers_have_the_separators_of_the_file() {
    let path = written("comma.csv", b"a;b;c\n1,5;1.234.567,25;2,5\n-2;12;10,0\n,5e1;;2,50\n");
    let csv = Csv::new(&path).delimiter(b';').decimal(b',').thousands(b'.').missing(Missing::Mean);
    rows(&csv.clone().ignore("c"), &[1.5, 1234567.25, -2.0, 12.0, 5.0, 617289.625]);
    let label = csv.clone().label("c");
    let train = label.read().unwrap();
    assert_eq!(train.classes().unwrap(), ["2.5", "10"]);
    assert_eq!(train.y().unwrap().as_slice().unwrap(), [0.0, 1.0, 0.0]);
    streams(&label.source().unwrap(), &train);
    for (text, found) in [("1.5;1", "`1.5`"), ("1,2,3;1", "`1,2,3`"), ("1.23;1", "`1.23`")] {
        let path = written("comma.csv", format!("a;b\n{text}\n").as_bytes());
        refused(&Csv::new(path).delimiter(b';').decimal(b',').thousands(b'.'), found);
    }
    let path = written("quoted.csv", b"a,b\n\"1,234\",\"1,5\"\n\"-1,234,567.5\",2\n");
    rows(&Csv::new(&path).thousands(b',').ignore("b"), &[1234.0, -1234567.5]);
    rows(&Csv::new(&path).decimal(b',').ignore("a"), &[1.5, 2.0]);
    let spaces = written("spaces.csv", b"a;b\n1 234 567,5;2\n");
    rows(&Csv::new(spaces).delimiter(b';').decimal(b',').thousands(b' '), &[1234567.5, 2.0]);
    refused(&Csv::new(written("quoted.csv", b"a,b\n1,234,5\n")).thousands(b','), "expected 2 fields");
    let error = Csv::new(written("comma.csv", b"1,5;2\n1,5;3\n")).delimiter(b';').decimal(b',').read();
    assert!(error.unwrap_err().to_string().contains("found numbers alone"));
}

#[test]
fn settings_that_contradict_each_other_are_refused_before_reading() {
    let csv = || Csv::new("/no/such.csv");
    let cases = [
        (csv().decimal(b'5'), "decimal"),
        (csv().decimal(b'-'), "decimal"),
        (csv().thousands(b'.'), "thousands"),
        (csv().delimiter(b';').decimal(b',').thousands(b','), "thousands"),
        (csv().thousands(b'e'), "thousands"),
        (csv().delimiter(b'"'), "delimiter"),
        (csv().comment(b','), "comment"),
        (csv().comment(b'"'), "comment"),
    ];
    for (csv, expected) in cases {
        for error in [csv.read().unwrap_err(), csv.source().unwrap_err()] {
            assert!(
                matches!(error, Error::Argument { argument, .. } if argument == expected),
                "{expected}: {error}"
            );
        }
    }
}

#[test]
fn latin_1_is_decoded() {
    let path = written("latin.csv", b"gr\xf6\xdfe,stadt\n1,K\xf6ln\n2,\"N\xfcrnberg, S\xfcd\"\n3,Ulm\n");
    let error = Csv::new(&path).label("stadt").read().unwrap_err();
    assert!(error.to_string().contains("expected text in UTF-8"), "{error}");
    let csv = Csv::new(&path).label("stadt").encoding(Encoding::Latin1);
    let data = csv.read().unwrap();
    assert_eq!(
        (data.columns(), data.classes().unwrap()[1].as_str()),
        (&["größe".to_string()][..], "Nürnberg, Süd")
    );
    assert_eq!(data.classes().unwrap(), ["Köln", "Nürnberg, Süd", "Ulm"]);
    streams(&csv.source().unwrap(), &data);
}

#[test]
fn a_test_file_has_the_settings_of_its_training_file() {
    let path = written("like.csv", b"a;t\xf6n;c;y\n1,5;None;?;NA\n2,5;r\xf6t;2.000;B\n");
    let csv_of = |path| Csv::new(path).delimiter(b';').label("y").categorical(1).missing(Missing::Mean);
    let csv = csv_of(&path);
    let own = csv.clone().decimal(b',').thousands(b'.').encoding(Encoding::Latin1);
    let own = own.missing_words_of(1, ["-"]).missing_words_of("c", ["?"]).missing_words_of("y", ["-"]);
    let train = own.read().unwrap();
    assert_eq!(train.x(), &array![[1.5, 0.0, 2000.0], [2.5, 1.0, 2000.0]].into_dyn());
    let like = csv.clone().like(&train);
    assert_eq!(like.read().unwrap(), train);
    streams(&like.source().unwrap(), &train);
    streams(&csv.clone().like(&like.read().unwrap()).source().unwrap(), &train);
    // A setting of the test file is its own.
    let other = written("like.csv", b"a;t\xf6n;c;y\n1.5;None;?;NA\n");
    let found = csv_of(&other).like(&train).decimal(b'.').read().unwrap();
    assert_eq!(found.x(), &array![[1.5, 0.0, 2000.0]].into_dyn());
    let error = Csv::new(&other).label("y").like(&train).read().unwrap_err();
    assert!(error.to_string().contains("unknown column `y`"), "{error}");
    // A known class is a word, whatever kept it as one.
    let train = Csv::new(written("like.csv", b"a,y\n1,N/A\n2,B\n")).label("y").missing_words_of("y", ["-"]);
    let train = train.read().unwrap();
    let test = Csv::new(written("like.csv", b"a,y\n1,N/A\n")).label("y").like(&train).read().unwrap();
    assert_eq!(test.y().unwrap()[[0]], 1.0);
}

#[test]
fn a_known_category_is_never_missing() {
    let path = written("known.csv", b"a,colour,y\n1,red,B\n2,blue,NA\n");
    let csv = Csv::new(&path).label("y").categorical("colour");
    let train = csv.clone().missing_words_of("y", ["-"]).read().unwrap();
    assert_eq!(train.classes().unwrap(), ["B", "NA"]);
    // Also if a setting says that these words mean a missing value.
    let like = csv.like(&train).missing(Missing::DropRow);
    for like in [
        like.clone().missing_words(["red", "B"]),
        like.missing_words_of("colour", ["red", "-"]).missing_words_of("y", ["NA", "B"]),
    ] {
        let test = like.read().unwrap();
        assert_eq!(test.x(), &array![[1.0, 1.0], [2.0, 0.0]].into_dyn());
        assert_eq!(test.y().unwrap().as_slice().unwrap(), [0.0, 1.0]);
        streams(&like.source().unwrap(), &test);
    }
}
