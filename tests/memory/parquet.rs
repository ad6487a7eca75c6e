//! Parquet files that were made to do harm: each is refused as damaged, in little memory and time.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cornu::data::Parquet;
use cornu::error::FileError;
use cornu::prelude::*;

/// A struct of Thrift's compact protocol.
#[derive(Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 127 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

impl Struct {
    fn field(mut self, id: u8, kind: u8, bytes: &[u8]) -> Self {
        self.bytes.push((id - self.last) << 4 | kind);
        self.bytes.extend(bytes);
        self.last = id;
        self
    }

    fn int(self, id: u8, value: u64) -> Self {
        self.field(id, 6, &varint(value << 1))
    }

    fn text(self, id: u8, text: &str) -> Self {
        self.field(id, 8, &[&varint(text.len() as u64), text.as_bytes()].concat())
    }

    fn one(self, id: u8, inner: Struct) -> Self {
        self.field(id, 12, &inner.end())
    }

    fn list(self, id: u8, members: Vec<Struct>) -> Self {
        let head = (members.len() as u8) << 4 | 12;
        let members: Vec<u8> = members.into_iter().flat_map(Struct::end).collect();
        self.field(id, 9, &[&[head], &members[..]].concat())
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

const DOUBLE: u64 = 5;
const LONG: u64 = 2;
const TEXT: u64 = 6;

const PLAIN: u64 = 0;
const DELTA: u64 = 5;
const DELTA_LENGTHS: u64 = 6;
const DELTA_TEXTS: u64 = 7;
const DICTIONARY: u64 = 8;

const STORED: u64 = 0;
const GZIP: u64 = 2;
const BROTLI: u64 = 4;
const LZ4_BLOCKS: u64 = 5;
const ZSTD: u64 = 6;
const LZ4: u64 = 7;

/// A page of data of the first version, or a dictionary.
struct Page {
    is_dictionary: bool,
    values: u64,
    encoding: u64,
    /// The declared size of the unpacked bytes; by default that of the bytes.
    size: Option<u64>,
    bytes: Vec<u8>,
}

impl Page {
    fn new(values: u64, encoding: u64, bytes: impl Into<Vec<u8>>) -> Self {
        Page { is_dictionary: false, values, encoding, size: None, bytes: bytes.into() }
    }

    fn dictionary(values: u64, bytes: impl Into<Vec<u8>>) -> Self {
        Page { is_dictionary: true, ..Page::new(values, PLAIN, bytes) }
    }

    fn size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    fn write(&self, to: &mut Vec<u8>) {
        let packed = self.bytes.len() as u64;
        let counts = Struct::default().int(1, self.values).int(2, self.encoding);
        let head = Struct::default()
            .int(1, 2 * u64::from(self.is_dictionary))
            .int(2, self.size.unwrap_or(packed))
            .int(3, packed);
        let head = match self.is_dictionary {
            true => head.one(7, counts),
            false => head.one(5, counts.int(3, 3).int(4, 3)),
        };
        to.extend(head.end());
        to.extend(&self.bytes);
    }
}

/// A file of one column without missing values, and what it declares.
struct Table {
    kind: u64,
    codec: u64,
    rows: u64,
    values: u64,
    pages: Vec<Page>,
}

impl Table {
    fn new(kind: u64, codec: u64, rows: u64, pages: impl Into<Vec<Page>>) -> Self {
        Table { kind, codec, rows, values: rows, pages: pages.into() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut file = b"PAR1".to_vec();
        self.pages.iter().for_each(|page| page.write(&mut file));
        let column =
            Struct::default().int(4, self.codec).int(5, self.values).int(7, file.len() as u64 - 4).int(9, 4);
        let group = Struct::default().list(1, vec![Struct::default().one(3, column)]).int(3, self.rows);
        let root = Struct::default().text(4, "root").int(5, 1);
        let leaf = Struct::default().int(1, self.kind).int(3, 0).text(4, "a");
        let end = Struct::default().list(2, vec![root, leaf]).int(3, self.rows).list(4, vec![group]).end();
        file.extend(&end);
        file.extend((end.len() as u32).to_le_bytes());
        file.extend(b"PAR1");
        file
    }
}

/// 1 GiB of zeros in 32 KiB: 8192 blocks of 128 KiB, each of which repeats a byte.
fn zstd_bomb() -> Vec<u8> {
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 56];
    for block in 0..8192u32 {
        let head = (128 << 10) << 3 | 1 << 1 | u32::from(block == 8191);
        bytes.extend(&head.to_le_bytes()[..3]);
        bytes.push(0);
    }
    bytes
}

/// 64 MiB of zeros in 54 bytes, by Brotli's own encoder.
const BROTLI_BOMB: [u8; 54] = [
    0xcf, 0xff, 0xff, 0x7f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x9f, 0xff, 0xff, 0xff,
    0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x01, 0x80, 0xee, 0xfd, 0x3f, 0xff, 0xff, 0xff, 0xe1, 0x9f, 0x00, 0x88,
    0xc3, 0x22, 0x00, 0xdd, 0xfb, 0x7f, 0xfe, 0xff, 0xff, 0xc3, 0x3f, 0x01, 0x10, 0x87, 0x05, 0x00, 0xba,
    0xf7, 0xff, 0x03,
];

/// A zero that is repeated `255 * len` times and more.
fn lz4_bomb(len: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0, 1, 0];
    bytes.resize(len, 255);
    bytes.extend([0, 0x50, 0, 0, 0, 0, 0]);
    bytes
}

fn gzip_bomb() -> Vec<u8> {
    use std::io::Write;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&vec![0; 1 << 26]).unwrap();
    packer.finish().unwrap()
}

/// The head of whole numbers packed by their differences: blocks of 128 in four packs, the count, and the first number.
fn differences(count: u64) -> Vec<u8> {
    [varint(128), varint(4), varint(count), varint(0)].concat()
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile.parquet")
}

/// Refused as damaged with these words, within 20 MB and two seconds.
#[track_caller]
fn check(what: &str, table: &Table, words: &str) {
    let bytes = table.bytes();
    fs::write(file(), &bytes).unwrap();
    for streamed in [false, true] {
        let start = Instant::now();
        let (found, held) = crate::peak::peak(|| match streamed {
            false => Parquet::new(file()).read().map(drop),
            true => Parquet::new(file()).source().map(drop),
        });
        let took = start.elapsed();
        let error = found.expect_err(what);
        let Error::File(FileError::Damaged { .. }) = &error else { panic!("{what}: {error:?}") };
        println!("{what:<50} {:>9} {held:>12} {took:>9.1?}  {error}", bytes.len());
        assert!(error.to_string().contains(words), "{what}: {error}");
        assert!(held < 20_000_000 + 3 * bytes.len(), "{what}: {held} bytes");
        assert!(took < Duration::from_secs(2), "{what}: {took:?}");
    }
}

fn bombs() {
    // 80 zeros, and a window of 96 MiB.
    let head = (80u32 << 3 | 3).to_le_bytes();
    let window = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 132], &head[..3], &[0]].concat();
    let table = Table::new(DOUBLE, ZSTD, 10, [Page::new(10, PLAIN, window).size(80)]);
    check("zstd, a window of 96 MiB", &table, "decompression failed");
    let bombs = [
        ("gzip", GZIP, gzip_bomb()),
        ("Brotli", BROTLI, BROTLI_BOMB.to_vec()),
        ("zstd", ZSTD, zstd_bomb()),
        ("LZ4", LZ4, lz4_bomb(1 << 16)),
    ];
    for (name, codec, bytes) in bombs {
        let table = |size| Table::new(DOUBLE, codec, 10, [Page::new(10, PLAIN, bytes.clone()).size(size)]);
        // It unpacks to more than it declares, declares what it unpacks to, and a number that would overflow a size.
        check(
            &format!("{name}, declared as 80 bytes"),
            &table(80),
            if codec == LZ4 { "decompression failed" } else { "its decompressed size is not" },
        );
        check(
            &format!("{name}, declared as 1 GiB"),
            &table(1 << 30),
            "its declared size is impossible for its compressed size",
        );
        check(&format!("{name}, declared as 2^62 bytes"), &table(1 << 62), "its declared size is impossible");
    }
    // Hadoop's LZ4: the page declares 80 bytes, each block of it more.
    let block = lz4_bomb(1 << 16);
    let size = (255 * (block.len() - 11) + 30) as u32;
    let block = [&size.to_be_bytes()[..], &(block.len() as u32).to_be_bytes(), &block].concat();
    let table = Table::new(DOUBLE, LZ4_BLOCKS, 10, [Page::new(10, PLAIN, block.repeat(16)).size(80)]);
    check(
        "LZ4 in blocks that are larger than their page",
        &table,
        "its decompressed size is not the declared 80 bytes",
    );
}

fn counts() {
    let ten = vec![0; 80];
    let most = i32::MAX as u64;
    let check_pages = |what: &str, kind, rows, pages: Vec<Page>, words: &str| {
        check(what, &Table::new(kind, STORED, rows, pages), words);
    };
    // Dictionaries.
    for (kind, name) in [(DOUBLE, "numbers"), (TEXT, "texts")] {
        let pages = vec![Page::dictionary(most, ten.clone()), Page::new(10, DICTIONARY, [0, 20])];
        check_pages(&format!("a dictionary of 2^31 {name}"), kind, 10, pages, "a truncated dictionary");
    }
    let pages = vec![Page::dictionary(10, ten.clone()), Page::new(10, DICTIONARY, [4, 20, 15])];
    check_pages("an index beyond the dictionary", DOUBLE, 10, pages, "row group 0, column `a`");
    let pages =
        vec![Page::dictionary(10, ten.clone()), Page::new(10, DICTIONARY, [4, 255, 255, 255, 255, 15])];
    check_pages("a run of 2^34 indices", DOUBLE, 10, pages, "row group 0, column `a`");
    let pages = vec![Page::dictionary(10, ten.clone()), Page::dictionary(10, ten.clone())];
    check_pages("two dictionaries", DOUBLE, 10, pages, "a second dictionary");
    // Differences.
    for count in [most, u64::MAX >> 1] {
        let page = |encoding| vec![Page::new(10, encoding, differences(count))];
        check_pages(
            &format!("{count} differences of numbers"),
            LONG,
            10,
            page(DELTA),
            "row group 0, column `a`",
        );
        check_pages(&format!("{count} lengths"), TEXT, 10, page(DELTA_LENGTHS), "lengths for 10 values");
        check_pages(&format!("{count} prefixes"), TEXT, 10, page(DELTA_TEXTS), "lengths for 10 values");
    }
    let packs = [varint(1 << 40), varint(1 << 35), varint(10), varint(0)].concat();
    check_pages(
        "differences in 2^35 packs",
        LONG,
        10,
        vec![Page::new(10, DELTA, packs.clone())],
        "column `a`",
    );
    check_pages(
        "lengths in 2^35 packs",
        TEXT,
        10,
        vec![Page::new(10, DELTA_LENGTHS, packs)],
        "delta blocks of",
    );
    // Numbers of values and of rows.
    let page = |values| vec![Page::new(values, PLAIN, ten.clone())];
    check_pages("a page of 2^31 values", DOUBLE, 10, page(most), "in a column of 10");
    check_pages("a page of 2^60 values", DOUBLE, 10, page(1 << 60), "values");
    check_pages("a page of too few values", DOUBLE, 10, page(5), "fewer values than rows");
    check_pages(
        "a page that is shorter than its values",
        DOUBLE,
        1000,
        page(1000),
        "row group 0, column `a`",
    );
    check_pages("2^60 rows", DOUBLE, 1 << 60, page(10), "which take more than 1040 times");
    check_pages("2^31 rows in no page", DOUBLE, most, vec![], "which take more than 1040 times");
    let table = Table { values: 1 << 60, ..Table::new(DOUBLE, STORED, 10, page(10)) };
    check("a column of 2^60 values", &table, "values for 10 rows");
}

/// Each text repeats the one before and adds a letter: n²/2 letters in n bytes.
fn prefixes() {
    let count = 4000u64;
    let same = |length: u64| {
        // Blocks of 128 equal differences, in four packs of no bits.
        let blocks = (count - 1).div_ceil(128);
        let block = [varint(2 * length), vec![0; 4]].concat();
        [varint(128), varint(4), varint(count), varint(0), block.repeat(blocks as usize)].concat()
    };
    let lengths =
        [varint(128), varint(4), varint(count), varint(2), [vec![0], vec![0; 4]].concat().repeat(32)]
            .concat();
    let page = [same(1), lengths, vec![b'x'; count as usize]].concat();
    let table = Table::new(TEXT, STORED, count, [Page::new(count, DELTA_TEXTS, page)]);
    fs::write(file(), table.bytes()).unwrap();
    let (found, held) = crate::peak::peak(|| Parquet::new(file()).read().map(drop));
    println!("texts that repeat each other: {held} bytes, {found:?}");
    assert!(held < 1040 * table.bytes().len() + (1 << 26), "{held}");
}

pub fn hostile_parquet_files_take_little_memory() {
    // What is well-formed is read.
    let numbers: Vec<u8> = (0..10).flat_map(|i| f64::from(i).to_le_bytes()).collect();
    fs::write(file(), Table::new(DOUBLE, STORED, 10, [Page::new(10, PLAIN, numbers.clone())]).bytes())
        .unwrap();
    assert!(Parquet::new(file()).read().unwrap().x().iter().copied().eq((0..10).map(f64::from)));
    let pages = [Page::dictionary(10, numbers), Page::new(10, DICTIONARY, [4, 20, 3])];
    fs::write(file(), Table::new(DOUBLE, STORED, 10, pages).bytes()).unwrap();
    assert!(Parquet::new(file()).read().unwrap().x().iter().all(|&x| x == 3.0));
    bombs();
    counts();
    prefixes();
    fs::remove_file(file()).unwrap();
}
