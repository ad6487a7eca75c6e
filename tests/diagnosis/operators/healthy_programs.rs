//! The programs without a fault.

use cornu::ndarray::ArrayD;
use cornu::prelude::*;

use super::data;
use super::program::{Goal, Kind, Objective, Part, Program, Rows, Rule, Weighted};
use crate::synthetic::{self, Linear, RELU, SOFTMAX, Sigmoid, Tanh};

/// A program by its name; the seed draws generated rows, the split and the first weights.
pub struct Entry {
    pub name: &'static str,
    pub of: fn(u64) -> Program,
}

impl Entry {
    /// Whether the program belongs to the half that is run once at the end: bit 32 of the FNV-1a hash of its name.
    pub fn is_held_out(&self) -> bool {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.name.bytes().fold(0xcbf2_9ce4_8422_2325, fold) >> 32 & 1 == 1
    }
}

fn layer(kind: Kind, units: usize, activation: Activation) -> Part {
    Part::Weighted(Weighted { kind, units, activation, start: None, l2: 0.0 })
}

fn dense(units: usize, activation: Activation) -> Part {
    layer(Kind::Dense, units, activation)
}

fn he(units: usize) -> Part {
    let start = Some(Initializer::HeNormal);
    Part::Weighted(Weighted { kind: Kind::Dense, units, activation: RELU, start, l2: 0.0 })
}

/// The rows in random order; a fifth validates, a fifth tests.
fn shuffled(seed: u64, rows: Rows) -> [Rows; 3] {
    let mut order: Vec<usize> = (0..rows.count()).collect();
    Rng::stream(seed, 12).shuffle(&mut order);
    in_order(rows.select(&order))
}

/// The rows in their order; of the last two fifths, the first validates and the second tests.
fn in_order(rows: Rows) -> [Rows; 3] {
    let count = rows.count();
    let (first, second) = (count * 3 / 5, count * 4 / 5);
    let part = |from: usize, to: usize| rows.select(&(from..to).collect::<Vec<_>>());
    [part(0, first), part(first, second), part(second, count)]
}

/// Targets by mean 0 and standard deviation 1 of all rows.
fn standard(mut rows: Rows) -> Rows {
    let (mean, deviation) = (rows.y.mean().expect("rows"), rows.y.std(0.0));
    rows.y.mapv_inplace(|y| (y - mean) / deviation);
    rows
}

fn shaped(mut rows: Rows, shape: &[usize]) -> Rows {
    let shape = [&[rows.count()], shape].concat();
    rows.x = rows.x.into_shape_with_order(shape).expect("as many numbers");
    rows
}

fn first(rows: Rows, count: usize) -> Rows {
    rows.select(&(0..count).collect::<Vec<_>>())
}

struct Course {
    loss: Objective,
    rule: Rule,
    rate: f64,
    batch: usize,
    epochs: usize,
}

fn program(
    seed: u64,
    goal: Goal,
    [train, held, test]: [Rows; 3],
    layers: Vec<Part>,
    course: Course,
) -> Program {
    let Course { loss, rule, rate, batch, epochs } = course;
    Program {
        goal,
        seed,
        train,
        held,
        test,
        validates: true,
        normalizes: false,
        layers,
        loss,
        rule,
        rate,
        clip: None,
        sums: false,
        decay: None,
        batch,
        epochs,
        shuffle: true,
        balanced: false,
        stop: None,
    }
}

fn unvalidated(program: Program) -> Program {
    Program { validates: false, ..program }
}

fn course(loss: Objective, rule: Rule, rate: f64, batch: usize, epochs: usize) -> Course {
    Course { loss, rule, rate, batch, epochs }
}

const MOMENTUM: Rule = Rule::Sgd { momentum: 0.9 };
const PLAIN: Rule = Rule::Sgd { momentum: 0.0 };

pub const ALL: &[Entry] = &[
    Entry {
        name: "iris by a dense network",
        of: |seed| {
            let rows = shuffled(seed, data::stored("iris-scaled"));
            let layers = vec![dense(16, RELU), dense(3, SOFTMAX)];
            let course = course(Objective::Sparse, Rule::Adam, 0.01, 16, 50);
            unvalidated(program(seed, Goal::Classes(3), rows, layers, course))
        },
    },
    Entry {
        name: "wine by one-hot targets",
        of: |seed| {
            let rows = shuffled(seed, data::stored("wine-scaled"));
            let layers = vec![dense(16, Tanh), dense(3, SOFTMAX)];
            let course = course(Objective::Categorical, MOMENTUM, 0.02, 16, 40);
            program(seed, Goal::Classes(3), rows, layers, course)
        },
    },
    Entry {
        name: "tumours, yes or no",
        of: |seed| {
            let rows = shuffled(seed, data::stored("breast_cancer-scaled"));
            let layers = vec![dense(24, RELU), dense(16, RELU), dense(1, Sigmoid)];
            program(
                seed,
                Goal::Classes(2),
                rows,
                layers,
                course(Objective::Binary, Rule::Adam, 0.003, 32, 30),
            )
        },
    },
    Entry {
        name: "progress of diabetes",
        of: |seed| {
            let mut rows = standard(data::stored("diabetes"));
            rows.x *= 21.0; // standard deviation 1
            let layers = vec![dense(24, RELU), dense(1, Linear)];
            let course = course(Objective::Squared, Rule::Adam, 0.003, 32, 30);
            program(seed, Goal::Numbers, shuffled(seed, rows), layers, course)
        },
    },
    Entry {
        name: "spirals from logits",
        of: |seed| {
            let layers = vec![dense(32, Tanh), dense(32, Tanh), dense(1, Linear)];
            let course = course(Objective::BinaryLogits, Rule::Adam, 0.01, 32, 100);
            unvalidated(program(seed, Goal::Classes(2), shuffled(seed, data::spirals(seed)), layers, course))
        },
    },
    Entry {
        name: "four labels at once",
        of: |seed| {
            let layers = vec![dense(48, RELU), dense(4, Sigmoid)];
            let course = course(Objective::Binary, Rule::Adam, 0.01, 32, 50);
            program(seed, Goal::Labels, shuffled(seed, data::labels(seed)), layers, course)
        },
    },
    Entry {
        name: "a smooth surface by SGD",
        of: |seed| {
            let (x, y) = synthetic::smooth(seed, 500, 0.1);
            let layers = vec![dense(32, Tanh), dense(32, Tanh), dense(1, Linear)];
            let course = course(Objective::Squared, MOMENTUM, 0.02, 32, 60);
            unvalidated(program(seed, Goal::Numbers, shuffled(seed, data::numbers(x, y)), layers, course))
        },
    },
    Entry {
        name: "three outputs, absolute error",
        of: |seed| {
            let layers = vec![dense(48, RELU), dense(48, RELU), dense(3, Linear)];
            let course = course(Objective::Absolute, Rule::RmsProp, 0.003, 32, 60);
            program(seed, Goal::Numbers, shuffled(seed, data::three_outputs(seed)), layers, course)
        },
    },
    Entry {
        name: "rings through six layers",
        of: |seed| {
            let (x, y) = synthetic::rings(seed, 500);
            let layers = vec![he(24), he(24), he(24), he(24), he(24), dense(2, SOFTMAX)];
            let course = course(Objective::Sparse, Rule::Adam, 0.003, 32, 40);
            let rows = shuffled(seed, data::classes(x.into_dyn(), &y));
            program(seed, Goal::Classes(2), rows, layers, course)
        },
    },
    Entry {
        name: "digits by a dense network",
        of: |seed| {
            let rows = shuffled(seed, first(data::stored("digits-01"), 900));
            let layers = vec![dense(48, RELU), dense(10, SOFTMAX)];
            program(seed, Goal::Classes(10), rows, layers, course(Objective::Sparse, PLAIN, 0.2, 32, 40))
        },
    },
    Entry {
        name: "digits by convolution",
        of: |seed| {
            let rows = shuffled(seed, shaped(first(data::stored("digits-01"), 600), &[8, 8, 1]));
            let layers = vec![
                layer(Kind::Square(3), 8, RELU),
                Part::MaxPool2(2),
                Part::Flatten,
                dense(32, RELU),
                dense(10, SOFTMAX),
            ];
            let course = course(Objective::Categorical, Rule::Adam, 0.005, 32, 25);
            program(seed, Goal::Classes(10), rows, layers, course)
        },
    },
    Entry {
        name: "bytes of pictures, rescaled",
        of: |seed| {
            let (x, y) = synthetic::bars(seed, 300);
            let x = x.mapv(|x| (255.0 * x).round()).into_dyn();
            let layers = vec![
                Part::Rescaling(1.0 / 255.0),
                layer(Kind::Square(3), 8, RELU),
                Part::BatchNormalization,
                Part::Max2,
                dense(4, SOFTMAX),
            ];
            let course = course(Objective::Sparse, Rule::Adam, 0.02, 32, 30);
            unvalidated(program(seed, Goal::Classes(4), shuffled(seed, data::classes(x, &y)), layers, course))
        },
    },
    Entry {
        name: "pictures through a bottleneck",
        of: |seed| {
            let x: ArrayD<f32> = first(data::stored("digits-01"), 500).x;
            let rows = shuffled(seed, Rows { y: x.clone(), x });
            let layers = vec![dense(32, RELU), dense(12, RELU), dense(32, RELU), dense(64, Sigmoid)];
            let course = course(Objective::Squared, Rule::Adam, 0.005, 32, 60);
            unvalidated(program(seed, Goal::Numbers, rows, layers, course))
        },
    },
    Entry {
        name: "gestures by convolution",
        of: |seed| {
            let layers = vec![
                layer(Kind::Steps(7), 12, RELU),
                Part::MaxPool1(2),
                layer(Kind::Steps(5), 16, RELU),
                Part::Mean1,
                dense(1, Sigmoid),
            ];
            let course = course(Objective::Binary, Rule::Adam, 0.01, 16, 60);
            program(seed, Goal::Classes(2), shuffled(seed, data::gun_point()), layers, course)
        },
    },
    Entry {
        name: "demand for power by a dense network",
        of: |seed| {
            let rows = shuffled(seed, shaped(data::power_demand(), &[24]));
            let layers = vec![dense(24, RELU), Part::Dropout(0.2), dense(24, RELU), dense(2, SOFTMAX)];
            program(
                seed,
                Goal::Classes(2),
                rows,
                layers,
                course(Objective::Sparse, Rule::RmsProp, 0.003, 32, 30),
            )
        },
    },
    Entry {
        name: "arrow heads by convolution",
        of: |seed| {
            let layers = vec![
                layer(Kind::Steps(5), 12, RELU),
                Part::MaxPool1(2),
                Part::Flatten,
                Part::Dropout(0.3),
                dense(16, RELU),
                dense(3, SOFTMAX),
            ];
            let course = course(Objective::Sparse, Rule::Adam, 0.005, 16, 40);
            program(seed, Goal::Classes(3), shuffled(seed, data::arrow_head()), layers, course)
        },
    },
    Entry {
        name: "waves by LSTM",
        of: |seed| {
            let (x, y) = synthetic::waves(seed, 300, 16);
            let layers = vec![layer(Kind::Lstm, 12, Tanh), dense(1, Sigmoid)];
            let course = course(Objective::Binary, Rule::Adam, 0.02, 32, 30);
            let rows = shuffled(seed, data::classes(x.into_dyn(), &y));
            unvalidated(program(seed, Goal::Classes(2), rows, layers, course))
        },
    },
    Entry {
        name: "sunspots of the next year",
        of: |seed| {
            let layers = vec![layer(Kind::Gru, 12, Tanh), dense(1, Linear)];
            let course = course(Objective::Squared, Rule::Adam, 0.01, 16, 40);
            program(seed, Goal::Numbers, in_order(data::sunspots()), layers, course)
        },
    },
    Entry {
        name: "tides by a simple recurrence",
        of: |seed| {
            let layers = vec![layer(Kind::Rnn, 16, Tanh), dense(1, Linear)];
            let course = course(Objective::Robust, Rule::Adam, 0.005, 32, 40);
            program(seed, Goal::Numbers, in_order(data::tides(seed)), layers, course)
        },
    },
    Entry {
        name: "languages of surnames",
        of: |seed| {
            let layers = vec![Part::Embedding(27, 8), layer(Kind::Gru, 16, Tanh), dense(3, SOFTMAX)];
            let course = course(Objective::Sparse, Rule::Adam, 0.01, 32, 12);
            program(seed, Goal::Classes(3), shuffled(seed, data::surnames()), layers, course)
        },
    },
    Entry {
        name: "texts by the mean of an embedding",
        of: |seed| {
            let layers = vec![Part::Embedding(50, 8), Part::Mean1, dense(16, RELU), dense(1, Sigmoid)];
            let course = course(Objective::Binary, Rule::Adam, 0.01, 32, 30);
            unvalidated(program(seed, Goal::Classes(2), shuffled(seed, data::texts(seed)), layers, course))
        },
    },
    Entry {
        name: "texts by counted words",
        of: |seed| {
            let layers = vec![dense(32, RELU), Part::Dropout(0.3), dense(1, Sigmoid)];
            let course = course(Objective::Binary, Rule::Adagrad, 0.1, 32, 25);
            program(seed, Goal::Classes(2), shuffled(seed, data::counted(seed)), layers, course)
        },
    },
];
