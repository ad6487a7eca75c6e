//! The contents of pictures, also in edge cases. The files stay in `target/tmp/plot` for inspection.

use std::fs;
use std::path::PathBuf;

use cornu::callback::{Callback, CallbackContext, Flow};
use cornu::error::FileError;
use cornu::metric::{CalibrationCurve, PrecisionRecallCurve, RocCurve};
use cornu::ndarray::{Array1, Array2};
use cornu::optimizer::CosineDecay;
use cornu::prelude::*;

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plot");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// Draws an SVG and a PNG file, and returns the SVG.
#[track_caller]
fn check(name: &str, plot: impl Fn(&PathBuf) -> Result<()>) -> String {
    let (svg, png) = (file(&format!("{name}.svg")), file(&format!("{name}.png")));
    plot(&svg).unwrap();
    plot(&png).unwrap();
    let bytes = fs::read(&png).unwrap();
    assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
    let size = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let text = fs::read_to_string(&svg).unwrap();
    let height: f64 = text.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    assert_eq!(size(16), 1600, "two dots a pixel");
    assert!((f64::from(size(20)) - 2.0 * height).abs() <= 2.0, "{} and {height}", size(20));
    assert!(text.starts_with("<svg width=\"800\""), "{}", &text[..80]);
    text
}

fn points() -> (Array2<f32>, Array1<usize>) {
    let mut rng = Rng::new(3);
    let x = Array2::from_shape_fn((300, 2), |_| rng.normal() as f32);
    let y = x.rows().into_iter().map(|p| usize::from(p[0] * p[1] > 0.3 * rng.normal() as f32)).collect();
    (x, y)
}

fn network() -> Sequential {
    Sequential::new()
        .seed(5)
        .add(Dense::new(16).activation(Activation::Relu))
        .add(Dense::new(2).activation(Activation::Softmax))
}

fn trained(fit: Fit, adam: Adam) -> History {
    let (x, y) = points();
    let mut model = network();
    model.compile(adam, SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model.fit(&x, &y, &fit.verbose(Verbose::Silent)).unwrap()
}

#[test]
fn plots_show_loss_metrics_learning_rate_and_restored_epoch() {
    let stopping = EarlyStopping::new().patience(8).restore_best_weights(true);
    let fit = Fit::new().epochs(60).validation_split(0.3).callback(stopping);
    let history = trained(fit, Adam::new(CosineDecay::new(0.05, 600)));
    let svg = check("history", |path| history.plot(path));
    let best = history.restored_epoch().unwrap();
    for text in ["loss", "accuracy", "learning rate", "training", "validation", "epoch"] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(svg.contains(&format!("restored: epoch {}", best + 1)));
    let values = history.get("val_loss").unwrap();
    assert!(values.iter().all(|value| *value >= values[best]));
}

#[test]
fn a_single_epoch_is_drawn_as_dots() {
    let history = trained(Fit::new(), Adam::new(0.01));
    let svg = check("history_one", |path| history.plot(path));
    assert_eq!(svg.matches("<circle").count(), 2, "a dot for loss and accuracy");
    assert!(!svg.contains("learning rate"), "it does not change");
}

#[test]
fn plots_of_a_thousand_epochs_with_rare_validation_are_complete() {
    let fit = Fit::new().epochs(1000).batch_size(300).validation_split(0.2).validation_freq(50);
    let history = trained(fit, Adam::new(0.003));
    assert_eq!(history.epochs_of("val_loss").unwrap()[..3], [49, 99, 149]);
    assert_eq!(history.epochs_of("loss").unwrap().len(), 1000);
    assert_eq!(history.learning_rates(), [0.003; 1000]);
    check("history_thousand", |path| history.plot(path));
}

/// Sometimes reports values that are not finite, and many metrics.
struct Odd;

impl Callback<f32> for Odd {
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        let epoch = at.epoch as f64;
        at.logs.set("sometimes_nan", if at.epoch % 7 == 3 { f64::NAN } else { epoch.sin() });
        at.logs.set("always_infinite", f64::INFINITY);
        at.logs.set("constant", -2.5e-7);
        at.logs.set("five decades", 10f64.powf(-0.2 * epoch));
        at.logs.set("<b>&_a_metric_whose_name_is_so_long_that_no_panel_is_as_high", 1e12 * epoch);
        Ok(Flow::Continue)
    }
}

#[test]
fn values_that_are_not_finite_break_the_line_and_are_listed() {
    let history = trained(Fit::new().epochs(25).callback(Odd), Adam::new(0.01));
    let svg = check("history_odd", |path| history.plot(path));
    assert!(svg.contains("NaN in epoch 4") && svg.contains("inf in epoch 1"), "{svg}");
    assert!(svg.contains("&lt;b&gt;"), "escaped");
    assert!(svg.contains("five decades (log)"));
}

#[test]
fn invalid_plots_are_refused() {
    let history = trained(Fit::new(), Adam::new(0.01));
    let found = history.plot("picture.gif");
    assert!(matches!(found, Err(Error::File(FileError::Extension { .. }))), "{found:?}");
    let found = history.plot(file("no/such/folder.svg"));
    assert!(matches!(found, Err(Error::File(FileError::Io { .. }))), "{found:?}");
    let none = std::iter::empty::<(&str, &RocCurve)>();
    assert!(matches!(cornu::plot::roc(none, "x.svg"), Err(Error::Empty { .. })));
}

fn matrix(classes: usize, name: impl Fn(usize) -> String) -> ConfusionMatrix {
    let mut rng = Rng::stream(1, classes as u64);
    let truth: Vec<usize> = (0..60 * classes).map(|i| i % classes).collect();
    let called: Vec<usize> = truth
        .iter()
        .map(|t| if rng.uniform() < 0.75 { *t } else { (rng.uniform() * classes as f64) as usize })
        .collect();
    ConfusionMatrix::new(truth, called, classes).unwrap().names((0..classes).map(name)).unwrap()
}

#[test]
fn confusion_matrices_of_one_to_many_classes_are_drawn() {
    let short = |class: usize| class.to_string();
    let long = |class: usize| format!("class {class} of a name that is longer than any axis has room for");
    check("matrix_1", |path| matrix(1, short).plot(path));
    let svg = check("matrix_2", |path| matrix(2, |class| ["negative", "positive"][class].into()).plot(path));
    assert!(svg.contains("predicted class") && svg.contains("true class") && svg.contains("negative"));
    check("matrix_5_long", |path| matrix(5, long).plot(path));
    check("matrix_20", |path| matrix(20, |class| format!("label {class}")).plot(path));
    check("matrix_60", |path| matrix(60, short).plot(path));
    check("matrix_300", |path| matrix(300, short).plot(path));
    let weighted = ConfusionMatrix::weighted([0, 1, 1], [0, 0, 1], [0.5, 2.0, 12345.25], 2).unwrap();
    assert!(check("matrix_weighted", |path| weighted.plot(path)).contains("12345.25"));
}

/// The class of each row, and probabilities that are mostly correct.
fn scores(classes: usize) -> (Array1<usize>, Array2<f64>) {
    let mut rng = Rng::stream(2, classes as u64);
    let y = Array1::from_shape_fn(400, |i| i % classes);
    let mut p = Array2::from_shape_fn((400, classes), |(i, j)| {
        (1.2 * rng.normal() + 1.5 * f64::from(u8::from(y[i] == j))).exp()
    });
    p.rows_mut().into_iter().for_each(|mut row| {
        let sum = row.sum();
        row /= sum;
    });
    (y, p)
}

#[test]
fn curves_of_one_and_of_many_classes_are_drawn() {
    let (y, p) = scores(2);
    let p = p.column(1);
    let roc = RocCurve::new(&y, &p).unwrap();
    assert!(check("roc", |path| roc.plot(path)).contains("a guess"));
    let pr = PrecisionRecallCurve::new(&y, &p).unwrap();
    assert!(check("precision_recall", |path| pr.plot(path)).contains("average precision"));
    let reliability = CalibrationCurve::new(&y, &p, 10).unwrap();
    assert!(check("reliability", |path| reliability.plot(path)).contains("expected calibration error"));

    for classes in [5, 20, 40] {
        let (y, p) = scores(classes);
        let names: Vec<String> = (0..classes).map(|class| format!("class of a long name {class}")).collect();
        let roc = RocCurve::one_vs_rest(&y, &p).unwrap();
        check(&format!("roc_{classes}"), |path| cornu::plot::roc(names.iter().zip(&roc), path));
        let pr = PrecisionRecallCurve::one_vs_rest(&y, &p).unwrap();
        check(&format!("pr_{classes}"), |path| cornu::plot::precision_recall(names.iter().zip(&pr), path));
        let top = CalibrationCurve::top_label(&y, &p, 15).unwrap();
        check(&format!("reliability_{classes}"), |path| top.plot(path));
    }
}

#[test]
fn attributions_are_drawn_over_the_sample() {
    use cornu::inspect::IntegratedGradients;
    use cornu::ndarray::{Array3, Array4};

    let mut long = Sequential::new()
        .seed(1)
        .input([6000, 1])
        .add(Conv1D::new(4, 25).strides(10).activation(Activation::Tanh))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(3))
        .add(Softmax::new());
    long.build().unwrap();
    let wave = |t: usize| (t as f32 / 300.0).sin() + if (2000..2300).contains(&t) { 3.0 } else { 0.0 };
    let signal = Array3::from_shape_fn((1, 6000, 1), |(_, t, _)| wave(t));
    let why = long.integrated_gradients(&signal, &IntegratedGradients::new()).unwrap();
    let svg = check("saliency_6000", |path| why.plot(0, path));
    assert!(svg.contains("attribution") && svg.contains("adds to it") && svg.contains("for the baseline"));
    assert!(svg.matches("<rect").count() > 300, "the strips");
    assert!(matches!(why.plot(1, "x.svg"), Err(Error::Argument { argument: "sample", .. })));

    let mut several = Sequential::new().seed(1).input([80, 3]).add(Lstm::new(5)).add(Dense::new(2));
    several.build().unwrap();
    let signals = Array3::from_shape_fn((1, 80, 3), |(_, t, c)| ((t * (c + 1)) as f32 / 9.0).sin());
    let why = several.integrated_gradients(&signals, &IntegratedGradients::new().output(1)).unwrap();
    assert!(check("saliency_channels", |path| why.plot(0, path)).contains("channel 2"));

    let mut seen = Sequential::new()
        .seed(1)
        .input([12, 10, 1])
        .add(Conv2D::new(3, [3, 3]))
        .add(Flatten::new())
        .add(Dense::new(2));
    seen.build().unwrap();
    let image = Array4::from_shape_fn((1, 12, 10, 1), |(_, i, j, _)| if i == j { 1.0f32 } else { 0.1 });
    let why = seen.integrated_gradients(&image, &IntegratedGradients::new()).unwrap();
    check("saliency_image", |path| why.plot(0, path));
}

#[test]
fn kernels_of_dense_layers_and_convolutions_are_drawn() {
    let draw = |name: &str, model: Sequential, input: &[usize]| {
        let mut model = model.seed(1).input(input);
        model.build().unwrap();
        check(name, |path| model.plot_kernels(path))
    };
    let svg = draw(
        "kernels_dense",
        Sequential::new().add(Flatten::new()).add(Dense::new(40).name("F1")),
        &[6000, 1],
    );
    assert!(svg.contains("F1/kernel: 40 kernels"));
    let svg = draw("kernels_many", Sequential::new().add(Dense::new(200)), &[30]);
    assert!(svg.contains("200 kernels, the largest 48 of them"));
    draw("kernels_conv", Sequential::new().add(Conv1D::new(8, 9)), &[100, 1]);
    draw("kernels_channels", Sequential::new().add(Conv1D::new(3, 15)), &[100, 4]);
    draw("kernels_images", Sequential::new().add(Conv2D::new(16, [5, 5])), &[20, 20, 1]);
    draw("kernels_one", Sequential::new().add(Dense::new(1)), &[1]);
    let mut none = Sequential::new().input([3]).add(Softmax::new());
    none.build().unwrap();
    assert!(matches!(none.plot_kernels("x.svg"), Err(Error::Unknown { .. })));
}

#[test]
fn models_are_drawn_as_diagrams() {
    let mut model = Sequential::new()
        .input([6000, 1])
        .add(
            Conv1D::new(8, 9)
                .activation(Activation::Relu)
                .name("a \"name\" <b> that is longer than any box has room for it"),
        )
        .add(MaxPooling1D::new(2))
        .add(
            Residual::new()
                .add(BatchNormalization::new())
                .add(Residual::new().add(Conv1D::new(8, 3).padding(Padding::Same)))
                .add(Dropout::new(0.2)),
        )
        .add(Residual::new().add(Dense::new(4)).add(Relu::new()).shortcut(Dense::new(4)).name("wider"))
        .add(Branches::new(Merge::Average).branch().branch().add(Dense::new(4)).add(Relu::new()))
        .add(Bidirectional::new(Lstm::new(3)))
        .add(Flatten::new())
        .add(Dense::new(5))
        .add(Softmax::new());
    let svg = check("model_unbuilt", |path| model.plot(path));
    assert!(svg.contains('?'));
    model.build().unwrap();
    let svg = check("model", |path| model.plot(path));
    for text in ["input (6000, 1)", "max_pooling1d", "batch_normalization", "Residual", "(5)", "parameters"] {
        assert!(svg.contains(text), "{text}");
    }
    model.plot(file("model.dot")).unwrap();
    let dot = fs::read_to_string(file("model.dot")).unwrap();
    assert!(dot.contains("subgraph cluster_n2") && dot.contains("a \\\"name\\\" <b>"), "{dot}");
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
    assert!(dot.contains("residual (Residual)\\l"), "beside the arrows");
    for (text, count) in [("shortcut (Chain)", 1), ("branches (Branches)", 1), ("branch_1 (Chain)", 1)] {
        assert_eq!(dot.matches(text).count(), count, "{text} in {dot}");
    }
    assert_eq!(dot.matches("label=\"+\"").count(), 3, "{dot}");
    // The sum of a residual block is inside its frame.
    assert!(dot.lines().any(|line| line.starts_with("    n") && line.contains("label=\"+\"")), "{dot}");
}

#[test]
fn histograms_over_few_and_many_epochs_are_drawn() {
    use cornu::callback::{Counted, Histograms};

    let (x, y) = points();
    let few = x.slice(cornu::ndarray::s![..50, ..]).to_owned();
    for (name, epochs) in [("histograms_1", 1), ("histograms_12", 12), ("histograms_500", 500)] {
        let mut model = network();
        model.compile(Adam::new(0.02), SparseCategoricalCrossentropy::new(), ()).unwrap();
        let mut histograms = Histograms::new().activations(&few).every(if epochs > 100 { 2 } else { 1 });
        let fit =
            Fit::new().epochs(epochs).batch_size(100).callback(&mut histograms).verbose(Verbose::Silent);
        model.fit(&x, &y, &fit).unwrap();
        drop(fit);
        // Two kernels and two biases, twice, and the outputs of two layers.
        assert_eq!(histograms.series().len(), 10);
        let kernel = histograms.get(Counted::Weights, "dense/kernel").unwrap();
        assert_eq!(kernel.epochs.len(), if epochs > 100 { epochs / 2 } else { epochs });
        let last = kernel.histograms.last().unwrap();
        if epochs <= 100 {
            let weights = model.weight("dense/kernel").unwrap();
            assert_eq!(last.counts.iter().sum::<usize>(), weights.len());
            let largest = weights.iter().fold(f32::MIN, |most, w| most.max(*w));
            assert_eq!(last.high, f64::from(largest));
        }
        let outputs = histograms.get(Counted::Activations, "dense_1").unwrap();
        assert!(outputs.histograms.iter().all(|h| h.low >= 0.0 && h.high <= 1.0));
        let svg = check(name, |path| histograms.plot(path));
        for text in ["weights", "gradients", "activations", "dense/kernel", "dense_1"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(svg.len() < 2_000_000, "{} bytes", svg.len());
    }
    let empty = Histograms::<f32>::new();
    assert!(matches!(empty.plot("x.svg"), Err(Error::Empty { .. })));
}

#[test]
fn charts_combine_lines_dots_and_bands() {
    use cornu::plot::Chart;

    let waves = |shift: f64| (0..120).map(move |t| (t, (f64::from(t) / 9.0 + shift).sin()));
    let chart = Chart::new("year", "sunspots & <more>")
        .band("90 % interval", waves(0.0).map(|(t, y)| (t, y - 0.4, y + 0.5)))
        .line("observed", waves(0.1))
        .line("broken", waves(2.0).map(|(t, y)| (t, if t % 40 == 20 { f64::NAN } else { y })))
        .dots("seen", waves(0.3).step_by(7));
    let svg = check("chart", |path| chart.plot(path));
    for text in ["year", "sunspots &amp; &lt;more&gt;", "90 % interval", "observed", "<polygon", "<circle"] {
        assert!(svg.contains(text), "{text}");
    }
    let rates = [0.0003, 0.001, 0.02, 0.1_f32].into_iter().zip([0.3_f32, 0.8, 0.97, 0.2]);
    let svg =
        check("chart_log", |path| Chart::new("rate", "score").log_x().dots("", rates.clone()).plot(path));
    assert!(svg.contains("rate (log)") && svg.contains("0.01"));
    check("chart_one", |path| Chart::new("x", "y").dots("one", [(3u8, 4u8)]).plot(path));
    let none = Chart::new("x", "y").line("none", [(f64::NAN, 1.0)]);
    assert!(matches!(none.plot("x.svg"), Err(Error::Empty { .. })));
    assert!(matches!(chart.plot("x.gif"), Err(Error::File(FileError::Extension { .. }))));
    // The trials of a search by a numeric hyper-parameter.
    let (x, y) = points();
    let search = cornu::selection::Search::random(6).seed(1).halving(3).verbose(Verbose::Silent);
    let results = search.run(&x, &y, |hp| {
        let mut model = network();
        let _: usize = hp.integer("units", 1..=9)?;
        hp.choice("kind", ["a", "b"])?;
        let adam = Adam::new(hp.log_uniform("learning_rate", 1e-4..=0.5)?);
        model.compile(adam, SparseCategoricalCrossentropy::new(), ())?;
        Ok((model, Fit::new().epochs(6).validation_split(0.3)))
    });
    let results = results.unwrap();
    let svg = check("search", |path| results.plot("learning_rate", path));
    assert!(svg.contains("learning_rate (log)") && svg.contains("the best") && svg.contains("ended early"));
    assert_eq!(svg.matches("<circle").count(), 6);
    check("search_whole", |path| results.plot("units", path));
    for setting in ["kind", "nothing"] {
        assert!(matches!(results.plot(setting, "x.svg"), Err(Error::Argument { argument: "setting", .. })));
    }
}
