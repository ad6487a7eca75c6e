//! The networks of Wang, Yan and Oates (2017), *Time series classification from scratch with deep neural networks: a
//! strong baseline*, on three data sets of the UCR archive.
//!
//! ```sh
//! cargo run --release --features csv --example time_series                      # GunPoint, one seed, half a minute
//! cargo run --release --features csv --example time_series -- --study           # the table of the guide
//! cargo run --release --features csv --example time_series -- --set ArrowHead --network fcn --seeds 2 --epochs 500
//! ```

use std::path::Path;
use std::time::Instant;

use clap::Parser;
use cornu::data::Csv;
use cornu::ndarray::{Array1, Array3, Axis};
use cornu::prelude::*;

#[derive(Parser)]
struct Args {
    /// The data sets, by name. Default: GunPoint.
    #[arg(long)]
    set: Vec<String>,
    /// `mlp`, `fcn` or `resnet`. Default: `mlp` and `fcn`.
    #[arg(long)]
    network: Option<String>,
    /// The number of seeds, starting at 1.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The number of epochs. Default: 100, or that of the paper in the study.
    #[arg(long)]
    epochs: Option<usize>,
    /// Run all data sets with five seeds.
    #[arg(long)]
    study: bool,
}

/// A data set, and the published test errors of the networks.
struct Published {
    set: &'static str,
    mlp: f64,
    fcn: f64,
    resnet: f64,
}

const PUBLISHED: [Published; 3] = [
    Published { set: "GunPoint", mlp: 0.067, fcn: 0.000, resnet: 0.007 },
    Published { set: "ArrowHead", mlp: 0.177, fcn: 0.120, resnet: 0.183 },
    Published { set: "ItalyPowerDemand", mlp: 0.034, fcn: 0.030, resnet: 0.040 },
];

#[derive(Clone, Copy, PartialEq)]
enum Network {
    Mlp,
    Fcn,
    ResNet,
}

struct Data {
    x: Array3<f32>,
    y: Array1<usize>,
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let networks = match args.network.as_deref() {
        Some("mlp") => vec![Network::Mlp],
        Some("fcn") => vec![Network::Fcn],
        Some("resnet") => vec![Network::ResNet],
        None => vec![Network::Mlp, Network::Fcn],
        Some(other) => {
            return Err(format!("network: expected `mlp`, `fcn` or `resnet`, found `{other}`").into());
        }
    };
    let wanted = |published: &&Published| match (args.study, args.set.as_slice()) {
        (true, []) => true,
        (false, []) => published.set == "GunPoint",
        (_, sets) => sets.iter().any(|set| set == published.set),
    };
    println!(
        "| set | network | test error over seeds: mean ± deviation, each | published | best epoch | seconds |"
    );
    println!("|---|---|---|---|---|---|");
    for published in PUBLISHED.iter().filter(wanted) {
        let (train, test) = (read(published.set, "TRAIN")?, read(published.set, "TEST")?);
        for &network in &networks {
            let (name, error, enough) = match network {
                Network::Mlp => ("MLP", published.mlp, 2000),
                Network::Fcn => ("FCN", published.fcn, 500),
                Network::ResNet => ("ResNet", published.resnet, 1500),
            };
            let epochs = args.epochs.unwrap_or(if args.study { enough } else { 100 });
            let seeds = if args.study { 5 } else { args.seeds };
            let started = Instant::now();
            let runs: Vec<(f64, usize)> =
                (1..=seeds).map(|seed| run(network, seed, epochs, &train, &test)).collect::<Result<_>>()?;
            let errors: Vec<f64> = runs.iter().map(|(error, _)| *error).collect();
            let (mean, deviation) = moments(&errors);
            let each: Vec<String> = errors.iter().map(|error| format!("{error:.3}")).collect();
            let last = runs.iter().map(|(_, epoch)| epoch).max().unwrap_or(&0);
            println!(
                "| {} | {name} | {mean:.3} ± {deviation:.3} ({}) | {error:.3} | {last} of {epochs} | {:.0} |",
                published.set,
                each.join(" "),
                started.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}

/// Trains, restores the weights with the smallest training loss as the authors did, and returns the test error and the best
/// epoch, from 1.
fn run(network: Network, seed: u64, epochs: usize, train: &Data, test: &Data) -> Result<(f64, usize)> {
    let classes = train.y.iter().max().map_or(1, |most| most + 1);
    let normalization = Normalization::new().axis(None).adapt(&train.x)?;
    let model = Sequential::new().seed(seed).add(normalization);
    let mut plateau = ReduceLearningRateOnPlateau::new().monitor("loss").factor(0.5);
    let mut model = match network {
        Network::Mlp => {
            plateau = plateau.patience(200).min_learning_rate(0.1);
            let mut model = mlp(model, classes);
            model.compile(Adadelta::new(1.0).epsilon(1e-8), SparseCategoricalCrossentropy::new(), ())?;
            model
        }
        Network::Fcn | Network::ResNet => {
            plateau = plateau.patience(50).min_learning_rate(1e-4);
            let mut model =
                if network == Network::Fcn { fcn(model, classes) } else { resnet(model, classes) };
            model.compile(Adam::new(0.001), SparseCategoricalCrossentropy::new(), ())?;
            model
        }
    };
    let mut best = EarlyStopping::new().monitor("loss").patience(epochs).restore_best_weights(true);
    let fit = Fit::new()
        .epochs(epochs)
        .batch_size((train.y.len() / 10).clamp(1, 16))
        .callback(plateau)
        .callback(&mut best)
        .verbose(Verbose::Silent);
    print!("{}", model.fit(&train.x, &train.y, &fit)?.findings()); // empty if the training is healthy
    drop(fit);
    let predicted = model.predict_classes(&test.x)?;
    let wrong = predicted.iter().zip(&test.y).filter(|(found, truth)| found != truth).count();
    Ok((wrong as f64 / test.y.len() as f64, best.best_epoch().map_or(0, |epoch| epoch + 1)))
}

/// Three hidden layers of 500 units, with dropout before each and before the output.
fn mlp(model: Sequential, classes: usize) -> Sequential {
    let model = model.add(Flatten::new());
    let layers = [0.1, 0.2, 0.2].into_iter().fold(model, |model, rate| {
        model.add(Dropout::new(rate)).add(Dense::new(500).activation(Activation::Relu))
    });
    layers.add(Dropout::new(0.3)).add(Dense::new(classes).activation(Activation::Softmax))
}

/// Three convolutions with batch normalization, and global average pooling.
fn fcn(model: Sequential, classes: usize) -> Sequential {
    let layers = [(128, 8), (256, 5), (128, 3)].into_iter().fold(model, |model, (filters, size)| {
        model
            .add(Conv1D::new(filters, size).padding(Padding::Same))
            .add(BatchNormalization::new())
            .add(Activation::Relu)
    });
    layers.add(GlobalAveragePooling1D::new()).add(Dense::new(classes).activation(Activation::Softmax))
}

/// Three residual blocks of three convolutions, and global average pooling, as in Ismail Fawaz et al. (2019), *Deep learning for time
/// series classification: a review*. The shortcut of the first two blocks is a convolution to the channels of the block.
fn resnet(model: Sequential, classes: usize) -> Sequential {
    let conv = |filters, size| Conv1D::new(filters, size).padding(Padding::Same);
    let block = |filters| {
        let block =
            Residual::new().add(conv(filters, 8)).add(BatchNormalization::new()).add(Activation::Relu);
        let block = block.add(conv(filters, 5)).add(BatchNormalization::new()).add(Activation::Relu);
        block.add(conv(filters, 3)).add(BatchNormalization::new())
    };
    let first = block(64).shortcut(conv(64, 1)).shortcut(BatchNormalization::new());
    let second = block(128).shortcut(conv(128, 1)).shortcut(BatchNormalization::new());
    let third = block(128).shortcut(BatchNormalization::new());
    let layers =
        [first, second, third].into_iter().fold(model, |model, block| model.add(block).add(Activation::Relu));
    layers.add(GlobalAveragePooling1D::new()).add(Dense::new(classes).activation(Activation::Softmax))
}

/// Mean and standard deviation (of the population).
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// Reads a data set: labels, renumbered from 0, and series with one channel.
fn read(set: &str, part: &str) -> std::result::Result<Data, Box<dyn std::error::Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/data/{set}_{part}.csv"));
    let data = Csv::new(path).label("label").read()?;
    let x = data.x().mapv(|value| value as f32).insert_axis(Axis(2)).into_dimensionality()?;
    Ok(Data { x, y: data.y()?.iter().map(|class| *class as usize).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That of the network of Ismail Fawaz et al. (2019), built in Keras for 2 and 3 classes.
    #[test]
    fn resnet_has_the_published_number_of_parameters() -> Result<()> {
        for (classes, expected) in [(2, 506_818), (3, 506_947)] {
            let mut model = resnet(Sequential::new().input([150, 1]), classes);
            model.build()?;
            assert_eq!(model.weights()?.iter().map(|(_, weight)| weight.len()).sum::<usize>(), expected);
        }
        Ok(())
    }
}
