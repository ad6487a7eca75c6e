//! The memory of the data readers, relative to the size of the file and of its numbers, in memory and streamed: `cargo
//! test --features full --test memory -- --nocapture` prints the table.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use cornu::data::{Arrays, BatchSource, Csv, Dataset, Parquet};
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

use crate::npy::npy;
use crate::zip::{Member, archive};

const ROWS: usize = 8000;
const COLUMNS: usize = 256;

fn data() -> (Array2<f64>, Array1<f64>) {
    let mut rng = Rng::new(5);
    let x = Array2::from_shape_fn((ROWS, COLUMNS), |_| (rng.bits() % 2000) as f64 / 1000.0 - 1.0);
    (x, Array1::from_iter((0..ROWS).map(|i| (i % 3) as f64)))
}

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("data_memory");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn bytes<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<u8> {
    values.into_iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// An array in a MATLAB file of version 5, as an element.
fn matlab(name: &str, shape: [usize; 2], values: Vec<u8>) -> Vec<u8> {
    let mut inner = Vec::new();
    let mut put = |kind: u32, bytes: &[u8]| {
        inner.extend(kind.to_le_bytes());
        inner.extend((bytes.len() as u32).to_le_bytes());
        inner.extend(bytes);
        inner.resize(inner.len().next_multiple_of(8), 0);
    };
    put(6, &[6, 0, 0, 0, 0, 0, 0, 0]);
    put(5, &shape.map(|size| (size as u32).to_le_bytes()).concat());
    put(1, name.as_bytes());
    put(9, &values);
    [&14u32.to_le_bytes()[..], &(inner.len() as u32).to_le_bytes(), &inner].concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn hdf5(path: &Path, x: &Array2<f64>, y: &Array1<f64>, chunks: Option<[u64; 2]>, matlab: bool) {
    let mut builder = hdf5_pure::FileBuilder::new();
    if matlab {
        let head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64 HDF5 schema 1.00 .";
        let mut block = head.to_vec();
        block.resize(124, b' ');
        block.extend([0, 2, b'I', b'M']);
        builder.with_userblock(512).with_userblock_content(&block);
    }
    let shape = x.shape().iter().map(|size| *size as u64).collect::<Vec<_>>();
    let array = builder.create_dataset("x");
    array.with_f64_data(x.as_standard_layout().as_slice().unwrap()).with_shape(&shape);
    if let Some(chunks) = chunks {
        array.with_chunks(&chunks).with_deflate(1);
    }
    builder.create_dataset("y").with_f64_data(y.as_slice().unwrap()).with_shape(&[y.len() as u64]);
    builder.write(path).unwrap();
}

/// Writes one file of each kind.
fn write(folder: &Path) {
    let (x, y) = data();
    let turned = bytes(x.t().as_standard_layout().iter());
    let mut text = (0..COLUMNS).map(|column| format!("c{column},")).collect::<String>() + "y\n";
    for (row, y) in x.outer_iter().zip(&y) {
        row.iter().for_each(|value| text += &format!("{value},"));
        text += &format!("{y}\n");
    }
    fs::write(folder.join("x.csv"), &text).unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    fs::write(folder.join("x.csv.gz"), packer.finish().unwrap()).unwrap();
    let (samples, labels) =
        (npy("<f8", false, &[ROWS, COLUMNS], &bytes(&x)), npy("<f8", false, &[ROWS], &bytes(&y)));
    for (name, member) in
        [("stored.npz", Member::stored as fn(&str, &[u8]) -> Member), ("deflated.npz", Member::deflated)]
    {
        let members = [member("x.npy", &samples), member("y.npy", &labels)];
        fs::write(folder.join(name), archive(&members)).unwrap();
    }
    fs::write(folder.join("x.npy"), samples).unwrap();
    fs::write(folder.join("y.npy"), labels).unwrap();
    let arrays = [matlab("x", [ROWS, COLUMNS], turned.clone()), matlab("y", [ROWS, 1], bytes(&y))];
    let head = [&[b' '; 124][..], &[0, 1, b'I', b'M']].concat();
    fs::write(folder.join("x5.mat"), [&head[..], &arrays.concat()].concat()).unwrap();
    let mut packed = head;
    for array in arrays {
        let array = zlib(&array);
        packed.extend([&15u32.to_le_bytes()[..], &(array.len() as u32).to_le_bytes(), &array].concat());
    }
    fs::write(folder.join("x7.mat"), packed).unwrap();
    let mut old = Vec::new();
    for (name, columns, values) in [(b"x\0", COLUMNS, &turned), (b"y\0", 1, &bytes(&y))] {
        for word in [0, ROWS as u32, columns as u32, 0, 2] {
            old.extend(word.to_le_bytes());
        }
        old.extend(name);
        old.extend(values);
    }
    fs::write(folder.join("x4.mat"), old).unwrap();
    hdf5(&folder.join("plain.h5"), &x, &y, None, false);
    hdf5(&folder.join("chunked.h5"), &x, &y, Some([100, 256]), false);
    hdf5(&folder.join("x73.mat"), &x.t().to_owned(), &y, Some([16, 2000]), true);
}

pub fn readers_take_memory_within_bounds() {
    let folder = folder();
    write(&folder);
    let at = |name: &str| match name {
        "many.parquet" => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/readers/many.parquet"),
        name => folder.join(name),
    };
    let arrays = |name: &str| {
        let arrays = Arrays::new(at(name)).x("x").scratch(&folder);
        if name == "x.npy" { arrays.label(at("y.npy").display().to_string()) } else { arrays.label("y") }
    };
    println!("{:<14} {:>8} {:>9} {:>12} {:>12}", "", "file", "numbers", "peak/numbers", "streamed");
    // The maximum that a reader may hold, as a multiple of the size of the numbers.
    for (name, most) in [
        ("x.csv", 2.3),
        ("x.csv.gz", 2.3),
        ("x.npy", 1.1),
        ("stored.npz", 1.1),
        ("deflated.npz", 2.1),
        ("x4.mat", 3.1),
        ("x5.mat", 3.1),
        ("x7.mat", 3.1),
        ("x73.mat", 2.3),
        ("plain.h5", 1.2),
        ("chunked.h5", 1.4),
        ("many.parquet", 2.4),
    ] {
        let read = || -> Result<Dataset> {
            match name {
                "x.csv" | "x.csv.gz" => Csv::new(at(name)).label("y").read(),
                "many.parquet" => Parquet::new(at(name)).label("y").read(),
                _ => arrays(name).read(),
            }
        };
        let (data, held) = crate::peak::peak(|| read().unwrap());
        let numbers = 8 * (data.x().len() + data.count());
        let file = fs::metadata(at(name)).unwrap().len();
        let count = data.count();
        let expected = if name == "many.parquet" { count } else { ROWS };
        assert_eq!((count, data.classes().unwrap().len()), (expected, 3), "{name}");
        drop(data);
        let stream = || -> Result<Box<dyn BatchSource<f64>>> {
            Ok(match name {
                "x.csv" | "x.csv.gz" => Box::new(Csv::new(at(name)).label("y").scratch(&folder).source()?),
                "many.parquet" => Box::new(Parquet::new(at(name)).label("y").scratch(&folder).source()?),
                _ => Box::new(arrays(name).source()?),
            })
        };
        let (streamed, peak) = crate::peak::peak(|| {
            let source = stream().unwrap();
            let (mut x, mut y) = (vec![0.0; 64 * source.input_shape()[0]], vec![0.0; 64]);
            source.fill(&(100..164).collect::<Vec<_>>(), &mut x, &mut y).unwrap();
            source.count()
        });
        let mega = |bytes: usize| bytes as f64 / 1e6;
        let (file, ratio) = (mega(file as usize), held as f64 / numbers as f64);
        println!("{name:<14} {file:>8.2} {:>9.1} {ratio:>12.2} {:>9.1} MB", mega(numbers), mega(peak));
        assert!(ratio < most, "{name}: {held} bytes for {numbers} of numbers");
        assert!(streamed == count && peak < 8_000_000, "{name}: {peak}");
    }
    fs::remove_dir_all(folder).unwrap();
}
