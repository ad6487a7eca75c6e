//! Reads the tables that `benches/readers.py` writes and also reads in pandas and polars: `cargo bench --features full
//! --bench readers`. With `-- --memory parquet` or `csv`, reads one of them once and prints the peak memory of the
//! process.

use std::path::{Path, PathBuf};

use cornu::data::{Csv, Dataset, Parquet};
use criterion::{Criterion, criterion_group};

fn path(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp/readers").join(format!("table.{kind}"))
}

fn read(kind: &str) -> Dataset {
    let data = if kind == "csv" {
        Csv::new(path(kind)).target("c50").read()
    } else {
        Parquet::new(path(kind)).target("c50").read()
    };
    data.expect("a table")
}

fn readers(c: &mut Criterion) {
    let mut group = c.benchmark_group("readers");
    group.sample_size(20);
    for kind in ["parquet", "csv"] {
        if !path(kind).exists() {
            println!("{kind}: run `benches/readers.py` first to write the file");
            continue;
        }
        group.bench_function(kind, |b| b.iter_with_large_drop(|| read(kind)));
    }
    group.finish();
}

criterion_group!(benches, readers);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(kind) =
        arguments.iter().position(|word| word == "--memory").and_then(|at| arguments.get(at + 1))
    else {
        benches();
        return Criterion::default().configure_from_args().final_summary();
    };
    let rows = read(kind).count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    println!("{kind}: {rows} rows, {peak}");
}
