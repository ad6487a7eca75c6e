//! The HTML report: its parts, its layout, and its rendering in a browser.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use cornu::callback::{Callback, CallbackContext, Flow};
use cornu::ndarray::{Array, Array1, Array2, Array3};
use cornu::prelude::*;
use cornu::report::Report;

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// Signals with one of three waves, `scale` times the magnitude that suits a network.
fn signals(count: usize, stream: u64, scale: f64) -> (Array3<f32>, Array1<usize>) {
    let mut rng = Rng::stream(4, stream);
    let y = Array1::from_shape_fn(count, |i| i % 3);
    let x = Array::from_shape_fn((count, 120, 1), |(i, t, _)| {
        let wave = (0.1 * (t as f64) * (1.0 + y[i] as f64)).sin();
        (scale * (wave + 0.8 * rng.normal())) as f32
    });
    (x, y)
}

/// The network of the question, which fails on these signals.
fn failed() -> (History, Sequential) {
    let (x, y) = signals(200, 0, 2000.0);
    let mut model = Sequential::new()
        .seed(1)
        .add(Flatten::new().name("S2"))
        .add(Dense::new(20).activation(Activation::Relu).name("F1"))
        .add(Dense::new(3).activation(Activation::Relu).name("output"))
        .add(Softmax::new().name("softmax"));
    let y: Array2<f32> = to_categorical(&y, Some(3)).unwrap();
    model.compile(Sgd::new(0.05), CategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    let fit =
        Fit::new().epochs(12).validation_split(0.2).diagnose(Diagnose::Investigate).verbose(Verbose::Silent);
    (model.fit(&x, &y, &fit).unwrap(), model)
}

/// Checks that all tags are closed in order.
#[track_caller]
fn check_nesting(page: &str) {
    // Elements without an end tag, or with an optional one.
    let alone = ["meta", "!DOCTYPE", "th", "td", "tr", "path", "rect", "li"];
    let mut open: Vec<String> = Vec::new();
    for part in page.split('<').skip(1) {
        let name: String = part.chars().take_while(|c| c.is_alphanumeric() || "/!".contains(*c)).collect();
        match name.strip_prefix('/') {
            Some(name) if alone.contains(&name) => {}
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "before {part:.60}"),
            None if alone.contains(&&*name) || part.split('>').next().unwrap().ends_with('/') => {}
            // A less-than sign in the script.
            None if open.last().is_some_and(|open| open == "script") => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[track_caller]
fn check(page: &str) {
    check_nesting(page);
    for word in ["http://", "https://", "src=", "@import", "url(", "fetch(", "eval("] {
        let found = page.find(word).map(|at| &page[at.saturating_sub(40)..at + 40]);
        assert!(found.is_none(), "requests another resource: {found:?}");
    }
    // The data of the script.
    for data in page.split("<script type=\"application/json\">").skip(1) {
        let data: serde_json::Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
        let epochs = data["epochs"].as_array().unwrap().len();
        assert_eq!(data["places"].as_array().unwrap().len(), epochs);
        for line in data["lines"].as_array().unwrap() {
            assert_eq!(line["values"].as_array().unwrap().len(), epochs);
        }
    }
}

#[test]
fn a_report_on_a_failed_training_starts_with_the_advice() {
    let (history, model) = failed();
    let (x, y) = signals(90, 1, 2000.0);
    let y = to_categorical::<f32, _, _>(&y, Some(3)).unwrap();
    let names = ["slow", "middle", "fast <wave>"];
    let report = Report::new(&history).title("Waves").model(&model).evaluation(&x, &y).class_names(names);
    report.save(file("failed.html")).unwrap();
    let page = fs::read_to_string(file("failed.html")).unwrap();
    check(&page);
    let head = page.split("<h2>").next().unwrap();
    assert!(
        head.contains("did not learn") && head.contains("N0202") && head.contains("Recommended:"),
        "{head}"
    );
    let root = &history.findings()[0];
    for text in [
        "<title>Waves</title>",
        "Confusion matrix",
        "By class",
        "The worst mistakes",
        "Trials",
        "fast &lt;wave&gt;",
        "<th>seed<td>1",
        "F1",
        env!("CARGO_PKG_VERSION"),
        "Sgd",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let plain = page.replace("<code>", "`").replace("</code>", "`").replace("&#39;", "'");
    assert!(root.evidence.iter().all(|line| plain.contains(line)), "{root:?}");
    assert_eq!(page.matches("<figure class=\"card\">").count(), 12);
    assert_eq!(page.matches("<figure class=\"chart\">").count(), 2);
}

/// Logs text that must be escaped, and values that are not finite.
struct Odd;

impl Callback<f32> for Odd {
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        at.logs.set("</script><script>alert(1)</script>", at.epoch as f64);
        at.logs.set("nan", if at.epoch == 3 { f64::NAN } else { 1.0 });
        at.logs.set("\"'&", f64::NEG_INFINITY);
        Ok(Flow::Continue)
    }
}

#[test]
fn user_text_is_escaped() {
    let x = Array2::from_shape_fn((40, 3), |(i, j)| ((7 * i + j) % 11) as f32);
    let y = x.sum_axis(cornu::ndarray::Axis(1));
    let mut model = Sequential::new().seed(1).add(Dense::new(1).name("<img src=x onerror=alert(1)>"));
    model.compile(Sgd::new(1e-4), MeanSquaredError::new(), ()).unwrap();
    let fit = Fit::new().epochs(6).callback(Odd).verbose(Verbose::Silent);
    let history = model.fit(&x, &y, &fit).unwrap();
    let page = Report::new(&history).title("</title><b>").model(&model).evaluation(&x, &y).to_html().unwrap();
    fs::write(file("odd.html"), &page).unwrap();
    check_nesting(&page);
    assert_eq!(page.matches("<script").count(), 1 + page.matches("type=\"application/json\"").count());
    assert!(!page.contains("<img") && !page.contains("<b></title>"));
    assert!(page.contains("NaN in epoch 4") && page.contains("-inf in epoch 1"));
    assert!(page.contains("predicted <b>"), "a regression has mistakes too");
}

#[test]
fn a_report_on_a_healthy_training_says_so() {
    let (x, y) = signals(150, 0, 100.0);
    let mut model = Sequential::new()
        .seed(1)
        .add(Normalization::new().axis(None).adapt(&x).unwrap())
        .add(Flatten::new())
        .add(Dense::new(20).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax));
    model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    let stopping = EarlyStopping::new().patience(5).restore_best_weights(true);
    let plateau = ReduceLearningRateOnPlateau::new().patience(2);
    let fit = Fit::new().epochs(30).validation_split(0.3).callback(stopping).callback(plateau);
    let history = model.fit(&x, &y, &fit.verbose(Verbose::Silent)).unwrap();
    history.report(file("short.html")).unwrap();
    check(&fs::read_to_string(file("short.html")).unwrap());
    let page = Report::new(&history).model(&model).evaluation(&x, &y).mistakes(0).to_html().unwrap();
    fs::write(file("healthy.html"), &page).unwrap();
    check(&page);
    assert!(
        page.contains("restored: epoch") && !page.contains("id=\"findings\""),
        "{:?}",
        history.findings()
    );
    assert!(page.contains("<b>learning rate</b>"));
    let alone = Report::new(&history).evaluation(&x, &y).to_html();
    assert!(matches!(alone, Err(Error::Argument { argument: "model", .. })), "{alone:?}");
    let folder = Report::new(&history).save(file("no/such/folder.html"));
    assert!(matches!(folder, Err(Error::File(_))), "{folder:?}");
}

#[test]
fn a_long_training_has_a_small_report() {
    let x = cornu::ndarray::array![[0.0f32], [1.0]];
    let mut model = Sequential::new().seed(1).add(Dense::new(1));
    model.compile(Sgd::new(1e-4), MeanSquaredError::new(), ()).unwrap();
    let fit = Fit::new().epochs(30_000).diagnose(Diagnose::Off).verbose(Verbose::Silent);
    let page = Report::new(&model.fit(&x, &x, &fit).unwrap()).to_html().unwrap();
    check(&page);
    assert!(page.contains("30000,") || page.contains(",30000]"), "the last epoch is there");
    assert!(page.len() < 300_000, "{} bytes", page.len());
}

/// The browser for the test: `CORNU_CHROMIUM`, or the first of these that exists.
fn chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("CORNU_CHROMIUM") {
        return Some(path.into());
    }
    let paths = env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    env::split_paths(&paths)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|path| path.is_file())
}

fn browse(chromium: &Path, page: &Path, arguments: &[String]) -> String {
    let profile = file("profile");
    let done = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout)
}

/// In light and dark mode, at 400 and 1280 pixels: no console messages, and nothing wider than the page. The
/// screenshots stay in `target/tmp/report`.
///
/// ```text
/// cargo test --features report --test pictures -- --ignored --nocapture
/// ```
#[test]
#[ignore = "needs Chromium"]
fn a_browser_renders_the_pages_without_errors() {
    let Some(chromium) = chromium() else {
        println!("skipped: there is no Chromium on the path, and CORNU_CHROMIUM names none");
        return;
    };
    let (history, model) = failed();
    let (x, y) = signals(90, 1, 2000.0);
    let y = to_categorical::<f32, _, _>(&y, Some(3)).unwrap();
    Report::new(&history).model(&model).evaluation(&x, &y).save(file("browsed.html")).unwrap();
    // The same page, which prints its width to the console and shows the values at one position.
    let probe = "<script>addEventListener('load', () => { const area = document.querySelector('.area'); \
        const box = area.getBoundingClientRect(); const at = { clientX: box.left + box.width, clientY: box.top + 9, bubbles: true }; \
        area.dispatchEvent(new PointerEvent('pointermove', at)); console.log('probe', document.documentElement.scrollWidth, \
        innerWidth, area.querySelector('.tip').textContent); });</script></body>";
    let page = fs::read_to_string(file("browsed.html")).unwrap().replace("</body>", probe);
    fs::write(file("browsed.html"), page).unwrap();
    for (theme, blink) in [("light", "preferredColorScheme=1"), ("dark", "preferredColorScheme=0")] {
        for width in [400, 1280] {
            let picture = file(&format!("{theme}_{width}.png"));
            let _ = fs::remove_file(&picture);
            let output = browse(
                &chromium,
                &file("browsed.html"),
                &[
                    format!("--screenshot={}", picture.display()),
                    format!("--window-size={width},3000"),
                    format!("--blink-settings={blink}"),
                ],
            );
            assert!(picture.is_file(), "no picture: {output}");
            let console: Vec<&str> = output.lines().filter(|line| line.contains("CONSOLE")).collect();
            assert_eq!(console.len(), 1, "{console:#?}");
            let said = console[0].split("probe ").nth(1).unwrap();
            let mut numbers = said.split(' ').map(|word| word.parse::<u32>());
            let (wide, window) = (numbers.next().unwrap().unwrap(), numbers.next().unwrap().unwrap());
            assert!(wide <= window, "{theme} at {width}: {wide} in {window}");
            assert!(said.contains("epoch 12training: "), "{said}");
        }
    }
}
