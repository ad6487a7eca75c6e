//! Pictures of ROC, precision-recall and reliability curves, one or one per class.

use std::path::Path;

use super::axes::{Axes, ChartAxis, legend};
use super::colour::{BLUE, Colour, FAINT, WHITE, blend, line};
use super::ink::fitted;
use super::save;
use super::scene::{Point, SMALL, Scene, Stroke};
use crate::axis::AxisScale;
use crate::error::{Error, Result};
use crate::metric::{CalibrationCurve, PrecisionRecallCurve, RocCurve};

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 600.0;
/// More names than these leave no space for the curves.
const MOST: usize = 24;

/// A curve and its name in the legend.
type Named = (String, Vec<Point>);

/// Draws named ROC curves, such as one per class, with their areas.
///
/// # Errors
/// [`FileError::Extension`](crate::error::FileError::Extension), [`FileError::Io`](crate::error::FileError::Io);
/// [`Error::Empty`] for no curve.
///
/// # Example
/// ```
/// use cornu::metric::RocCurve;
/// use ndarray::array;
/// let scores = array![[0.7, 0.3], [0.1, 0.9], [0.6, 0.4], [0.4, 0.6]];
/// let curves = RocCurve::one_vs_rest(&array![0, 1, 0, 0], &scores)?;
/// let path = std::env::temp_dir().join("cornu-example-roc.svg");
/// cornu::plot::roc(["rest", "spike"].into_iter().zip(&curves), &path)?;
/// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("rest: area")));
/// # std::fs::remove_file(&path).map_err(cornu::Error::outside)?;
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn roc<'a>(
    curves: impl IntoIterator<Item = (impl Into<String>, &'a RocCurve)>,
    path: impl AsRef<Path>,
) -> Result<()> {
    let named = |(name, curve): (_, &RocCurve)| {
        let points = curve.false_positive_rate.iter().copied().zip(curve.true_positive_rate.iter().copied());
        (entry(name, &format!("area {:.3}", curve.area())), points.collect())
    };
    let curves = curves.into_iter().map(|(name, curve)| named((name.into(), curve))).collect();
    let guess = (vec![(0.0, 0.0), (1.0, 1.0)], "a guess");
    let names = ["false positive rate", "true positive rate"];
    save(path.as_ref(), &unit_square("ROC curve", curves, names, Some(guess))?)
}

/// Draws named precision-recall curves with their average precisions.
///
/// A single curve is shown with the share of positives, which is the precision of a random guess.
///
/// # Errors
/// As [`roc`].
///
/// # Example
/// ```
/// use cornu::metric::PrecisionRecallCurve;
/// use ndarray::array;
/// let curve = PrecisionRecallCurve::new(&array![0, 1, 0, 1], &array![0.3, 0.9, 0.4, 0.6])?;
/// let path = std::env::temp_dir().join("cornu-example-pr.svg");
/// cornu::plot::precision_recall([("spike", &curve)], &path)?;
/// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("spike")));
/// # std::fs::remove_file(&path).map_err(cornu::Error::outside)?;
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn precision_recall<'a>(
    curves: impl IntoIterator<Item = (impl Into<String>, &'a PrecisionRecallCurve)>,
    path: impl AsRef<Path>,
) -> Result<()> {
    let mut guess = None;
    let mut named: Vec<Named> = Vec::new();
    for (name, curve) in curves {
        let points: Vec<Point> = curve.recall.iter().copied().zip(curve.precision.iter().copied()).collect();
        // The precision of a threshold holds until the next recall.
        let mut steps: Vec<Point> = Vec::new();
        for (recall, precision) in points {
            let last = steps.last().copied();
            steps.extend(last.map(|(_, before)| (recall, before)));
            steps.push((recall, precision));
        }
        named.push((entry(name, &format!("average precision {:.3}", curve.average_precision())), steps));
        guess = Some((vec![(0.0, curve.base_rate), (1.0, curve.base_rate)], "a guess"));
    }
    let guess = guess.filter(|_| named.len() == 1);
    let names = ["recall", "precision"];
    save(path.as_ref(), &unit_square("Precision-recall curve", named, names, guess)?)
}

/// Draws named reliability diagrams with their expected calibration errors.
///
/// A single diagram is shown with the number of predictions in each bin.
///
/// # Errors
/// As [`roc`].
///
/// # Example
/// ```
/// use cornu::metric::CalibrationCurve;
/// use ndarray::array;
/// let curve = CalibrationCurve::new(&array![0, 1, 0, 1], &array![0.3, 0.9, 0.4, 0.6], 5)?;
/// let path = std::env::temp_dir().join("cornu-example-reliability.svg");
/// cornu::plot::reliability([("network", &curve)], &path)?;
/// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("network")));
/// # std::fs::remove_file(&path).map_err(cornu::Error::outside)?;
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn reliability<'a>(
    curves: impl IntoIterator<Item = (impl Into<String>, &'a CalibrationCurve)>,
    path: impl AsRef<Path>,
) -> Result<()> {
    let curves: Vec<(String, &CalibrationCurve)> =
        curves.into_iter().map(|(name, curve)| (name.into(), curve)).collect();
    let named = |(name, curve): &(String, &CalibrationCurve)| {
        let full = curve.bins().iter().filter(|bin| bin.count > 0);
        let error = format!("expected calibration error {:.3}", curve.expected_calibration_error());
        (entry(name.clone(), &error), full.map(|bin| (bin.predicted, bin.observed)).collect())
    };
    let names = ["predicted probability", "share that came true"];
    let right = (vec![(0.0, 0.0), (1.0, 1.0)], "as predicted");
    let all = curves.iter().map(named).collect();
    let mut scene = unit_square("Reliability diagram", all, names, Some(right))?;
    if let [(_, curve)] = *curves {
        counts(&mut scene, curve);
    }
    save(path.as_ref(), &scene)
}

/// Adds the number of predictions in each bin as bars below.
fn counts(scene: &mut Scene, curve: &CalibrationCurve) {
    let top = scene.size.1;
    scene.size.1 += 190.0;
    let most = curve.bins().iter().map(|bin| bin.count).max().unwrap_or(0);
    let y = AxisScale::of([0.0, most as f64].into_iter()).with_zero();
    let (x, bins) = (AxisScale::new(0.0, 1.0), curve.bins().len() as f64);
    let axes = Axes::draw(
        scene,
        (8.0, top + 6.0),
        (WIDTH - 4.0, top + 186.0),
        ChartAxis { name: "predicted probability", scale: x },
        ChartAxis { name: "predictions", scale: y },
    );
    for (place, bin) in curve.bins().iter().enumerate().filter(|(_, bin)| bin.count > 0) {
        let (left, height) = axes.at(place as f64 / bins, bin.count as f64);
        let (right, ground) = axes.at((place as f64 + 1.0) / bins, 0.0);
        scene.rect((left + 1.5, height), (right - 1.5, ground), blend((255, 255, 255), BLUE, 0.75));
    }
}

/// A legend entry: a name with its score.
fn entry(name: impl Into<String>, number: &str) -> String {
    format!("{}: {number}", fitted(&name.into(), SMALL, 240.0))
}

/// Draws curves in the unit square, with a dashed line for comparison.
fn unit_square(
    title: &str,
    curves: Vec<Named>,
    [x_name, y_name]: [&str; 2],
    compare: Option<(Vec<Point>, &str)>,
) -> Result<Scene> {
    if curves.is_empty() {
        return Err(Error::Empty { argument: "curves".into(), shape: vec![0] });
    }
    let mut entries: Vec<(String, Colour, Option<Stroke>)> = Vec::new();
    let strokes: Vec<Stroke> = (0..curves.len())
        .map(|place| {
            let (colour, dashed) = line(place);
            Stroke::new(colour, 2.2).dashed(dashed)
        })
        .collect();
    for ((name, _), stroke) in curves.iter().zip(&strokes).take(MOST) {
        entries.push((name.clone(), stroke.colour, Some(*stroke)));
    }
    if curves.len() > MOST {
        entries.push((format!("and {} more", curves.len() - MOST), FAINT, Some(Stroke::new(WHITE, 1.0))));
    }
    let thin = Stroke::new(FAINT, 1.4).dashed(true);
    entries.extend(compare.iter().map(|(_, name)| (name.to_string(), FAINT, Some(thin))));
    let mut scene = Scene::new(title, (WIDTH, HEIGHT));
    let mut room = Scene::new("", (0.0, 0.0));
    let rows = legend(&mut room, (60.0, 0.0), WIDTH, &entries);
    let top = 18.0 + 20.0 * rows as f64;
    scene.size.1 = HEIGHT + 20.0 * rows as f64;
    let unit = AxisScale::new(0.0, 1.0);
    let corner = (WIDTH - 4.0, scene.size.1 - 4.0);
    let axes = {
        let axis = |name| ChartAxis { name, scale: unit };
        Axes::draw(&mut scene, (8.0, top), corner, axis(x_name), axis(y_name))
    };
    legend(&mut scene, (60.0, 16.0), WIDTH, &entries);
    if let Some((points, _)) = compare {
        axes.line(&mut scene, &points, thin, false);
    }
    for ((_, points), stroke) in curves.iter().zip(&strokes) {
        axes.line(&mut scene, points, *stroke, points.len() <= 20);
    }
    Ok(scene)
}

macro_rules! plot {
    ($($curve:ident, $by:ident, $named:literal, $bins:literal;)*) => {$(
        impl $curve {
            #[doc = concat!(
                "Draws the curve to an `.svg` or `.png` file, like [`plot::", stringify!($by), "`](crate::plot::",
                stringify!($by), ") for a single curve."
            )]
            ///
            /// # Errors
            /// [`FileError::Extension`](crate::error::FileError::Extension),
            /// [`FileError::Io`](crate::error::FileError::Io).
            ///
            /// # Example
            /// ```
            #[doc = concat!("use cornu::metric::", stringify!($curve), ";")]
            /// use ndarray::array;
            /// let (y, p) = (array![0, 1, 0, 1], array![0.3, 0.9, 0.4, 0.6]);
            #[doc = concat!("let curve = ", stringify!($curve), "::new(&y, &p", $bins, ")?;")]
            #[doc = concat!(
                "let path = std::env::temp_dir().join(\"cornu-example-", stringify!($by), "-alone.png\");"
            )]
            /// curve.plot(&path)?;
            /// assert!(path.is_file());
            /// # std::fs::remove_file(&path).map_err(cornu::Error::outside)?;
            /// # Ok::<(), cornu::Error>(())
            /// ```
            pub fn plot(&self, path: impl AsRef<Path>) -> Result<()> {
                $by([($named, self)], path)
            }
        }
    )*};
}

plot! {
    RocCurve, roc, "ROC", "";
    PrecisionRecallCurve, precision_recall, "precision", "";
    CalibrationCurve, reliability, "predictions", ", 10";
}
