//! Parquet tables.

use super::*;
use cornu::data::{Missing, Parquet};
use cornu::error::FileError;
use cornu::prelude::*;

#[test]
fn files_agree_with_pyarrow() {
    for name in ["plain", "groups", "stored", "gzip", "zstd", "brotli", "lz4", "delta"] {
        let name = format!("{name}.parquet");
        let data = Parquet::new(file(&name)).label("species").read().unwrap();
        check(&name, &data, 0.0);
        assert_eq!(data.categories("colour").unwrap(), [" red", "NA", "blau, grün", "green", "red"]);
        check(&name, &Dataset::read(file(&name), "species").unwrap(), 0.0);
    }
    check(
        "numbers.parquet",
        &Parquet::new(file("numbers.parquet")).missing(Missing::Value(-1.0)).read().unwrap(),
        0.0,
    );
}

#[test]
fn missing_values_are_filled_like_scikit_learn() {
    for name in ["holes.parquet", "holes_2.parquet"] {
        for (word, missing) in [
            ("mean", Missing::Mean),
            ("median", Missing::Median),
            ("most_frequent", Missing::MostFrequent),
            ("drop", Missing::DropRow),
        ] {
            let data = Parquet::new(file(name)).label("species").missing(missing).read().unwrap();
            check(&format!("{name} {word}"), &data, 1e-12);
        }
        let error_of = |parquet: Parquet| parquet.read().unwrap_err().to_string();
        let error = error_of(Parquet::new(file(name)).ignore("length").ignore("count").ignore("width"));
        assert!(error.ends_with("row 41, column `flag`: expected a number; `categorical` reads words as categories, `missing` fills what is missing, found nothing"), "{error}");
        let error = error_of(Parquet::new(file(name)).label("flag").missing(Missing::Mean));
        assert!(error.contains("row 41, column `flag`: expected a label, found nothing"), "{error}");
    }
}

#[test]
fn a_stream_returns_the_same_rows() {
    for name in ["plain.parquet", "groups.parquet", "delta.parquet"] {
        let parquet = Parquet::new(file(name)).label("species");
        let source = parquet.source().unwrap();
        let data = parquet.read().unwrap();
        streams(&source, &data);
        assert_eq!((source.columns(), source.classes().unwrap()), (data.columns(), data.classes().unwrap()));
        streams(&parquet.clone().like(&data).scratch(env!("CARGO_TARGET_TMPDIR")).source().unwrap(), &data);
    }
    for missing in [Missing::Mean, Missing::Value(-1.0), Missing::DropRow] {
        let parquet = Parquet::new(file("holes.parquet")).label("species").missing(missing);
        let parquet = if missing == Missing::DropRow { parquet.target("width") } else { parquet };
        streams(&parquet.source().unwrap(), &parquet.read().unwrap());
    }
    let median = Parquet::new(file("holes.parquet")).label("species").missing(Missing::Median).source();
    assert!(matches!(median, Err(Error::Argument { argument: "missing", .. })));
    let error =
        Parquet::new(file("plain.parquet")).label("species").scratch("/no/such").source().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Io { .. })), "{error}");
}

#[test]
fn dates_are_days_and_times_are_seconds() {
    let data = Parquet::new(file("dates.parquet")).missing(Missing::Value(-9.0)).read().unwrap();
    assert_eq!(data.columns(), ["date", "ms", "us", "ns", "clock", "long_clock"]);
    let rows = [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 0.25, 0.25, 0.25, 0.25, 0.25],
        [-9.0; 6],
        [20_000.0, 1_700_000_000.5, 1_700_000_000.5, 1_700_000_000.5, 86_399.999, 86_399.999999],
        [-3.0, -1.0, -1.0, -1.0, 0.001, 1e-6],
    ];
    assert_eq!(data.x(), &cornu::ndarray::arr2(&rows).into_dyn());
    let older = Parquet::new(file("int96.parquet")).missing(Missing::Value(-9.0)).read().unwrap();
    assert!(older.x().iter().eq(&[0.0, 0.25, -9.0, 1_700_000_000.5, -1.0]), "{:?}", older.x());
}

/// The footer is a list of schema elements, each nested in the previous one.
#[test]
fn a_schema_with_too_many_levels_is_refused() {
    let mut footer = vec![0x15, 2, 0x19, 0xfc];
    let count = 100_000u32;
    footer.extend([(count & 127) as u8 | 128, (count >> 7 & 127) as u8 | 128, (count >> 14) as u8]);
    // A name of one letter, and one child.
    (0..count).for_each(|_| footer.extend([0x48, 1, b'a', 0x15, 2, 0]));
    footer.push(0);
    let len = (footer.len() as u32).to_le_bytes();
    let bytes = [b"PAR1", &footer[..], &len, b"PAR1"].concat();
    let error = Parquet::new(written("deep.parquet", &bytes)).read().unwrap_err();
    assert!(error.to_string().ends_with("a schema with too many columns or levels"), "{error}");
}

#[test]
fn unsupported_contents_are_named() {
    let error_of = |name: &str| Parquet::new(file(name)).read().unwrap_err().to_string();
    assert!(error_of("list.parquet").contains("`list.list.element`: expected numbers, booleans or texts"));
    assert!(error_of("list.parquet").ends_with("found lists"));
    assert!(error_of("plain.csv").ends_with("not a Parquet file, or a truncated one"));
    let bomb = "20000000 rows of 1 columns, which take more than 1040 times the file's size and 64 MiB";
    assert!(error_of("bomb.parquet").ends_with(bomb), "{}", error_of("bomb.parquet"));
    assert!(Parquet::new(file("bomb.parquet")).source().unwrap_err().to_string().ends_with(bomb));
    let data = Parquet::new(file("list.parquet")).ignore("list.list.element").read().unwrap();
    assert_eq!(data.x().shape(), [3, 1]);
    let error = Parquet::new(file("plain.parquet")).label("kind").read().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Column { ref known, .. }) if known.len() == 6), "{error}");
}

#[test]
fn a_list_or_struct_is_ignored_by_its_own_name() {
    let data = Parquet::new(file("list.parquet")).ignore("list").read().unwrap();
    assert_eq!(data.x().shape(), [3, 1]);
    let nested = Parquet::new(file("nested.parquet")).ignore("tags").ignore("points");
    assert_eq!(nested.read().unwrap().columns(), ["a", "place.x", "place.y"]);
    assert_eq!(nested.clone().ignore("place.x").read().unwrap().columns(), ["a", "place.y"]);
    assert_eq!(nested.clone().ignore("place").read().unwrap().columns(), ["a"]);
    let error = nested.ignore("plac").read().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Column { ref name, .. }) if name == "plac"), "{error}");
}

#[test]
fn a_table_without_rows_is_an_empty_dataset() {
    for name in ["empty.parquet", "no_groups.parquet"] {
        for missing in [Missing::Refuse, Missing::Mean, Missing::DropRow] {
            let parquet = Parquet::new(file(name)).label("y").missing(missing);
            let data = parquet.read().unwrap();
            assert_eq!((data.x().shape(), data.y().unwrap().shape()), (&[0, 2][..], &[0][..]), "{name}");
            assert_eq!(
                (data.columns(), data.classes().unwrap().len()),
                (&["a".to_string(), "b".into()][..], 0)
            );
            let source = parquet.source().unwrap();
            assert_eq!(BatchSource::<f64>::count(&source), 0, "{name}");
        }
    }
}

#[test]
fn a_changed_page_is_detected_by_its_checksum() {
    let mut bytes = std::fs::read(file("zstd.parquet")).unwrap();
    bytes[60] ^= 1;
    let error = Parquet::new(written("changed.parquet", &bytes)).read().unwrap_err();
    assert!(error.to_string().contains("row group 0, column `length`"), "{error}");
}
