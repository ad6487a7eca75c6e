//! The progress lines of an epoch, fitted to the width of a terminal.
//!
//! `indicatif` draws them. The layout is made here: its templates cut a line that is too long at the end, and cannot leave
//! out the least important parts.

use std::time::Duration;

use crate::callback::Logs;

/// The content of a progress line.
pub(super) struct ProgressLine<'a> {
    /// The number of this training among concurrent ones.
    pub(super) number: Option<usize>,
    /// The epoch, from 1, and the number of epochs.
    pub(super) epoch: (usize, usize),
    /// The number of finished batches, and of all batches.
    pub(super) batch: (usize, usize),
    pub(super) elapsed: Duration,
    pub(super) logs: &'a Logs,
}

impl ProgressLine<'_> {
    /// `#2 Epoch 3/10`, without the number if there is only one training.
    fn head(&self) -> String {
        let number = self.number.map(|number| format!("#{number} ")).unwrap_or_default();
        format!("{number}Epoch {}/{}", self.epoch.0, self.epoch.1)
    }

    /// `34ms/step`.
    fn pace(&self) -> String {
        let step = self.elapsed / u32::try_from(self.batch.0.max(1)).unwrap_or(u32::MAX);
        match step.as_millis() {
            0 => format!("{}us/step", step.as_micros()),
            1..1000 => format!("{}ms/step", step.as_millis()),
            _ => format!("{:.0}s/step", step.as_secs_f64()),
        }
    }

    /// `Epoch 3/10 - 1s 2ms/step - loss: 0.1234 - accuracy: 0.9512`, with all metrics.
    ///
    /// Text wider than the terminal is wrapped, but never between a name and its value.
    pub(super) fn finished(&self, width: usize) -> String {
        let mut text = self.head();
        let mut used = columns(&text);
        let time = format!("{}s {}", self.elapsed.as_secs(), self.pace());
        for part in std::iter::once(time).chain(self.logs.parts()) {
            let wide = columns(&part);
            if used + 3 + wide <= width {
                text += " - ";
                used += 3 + wide;
            } else {
                text += "\n  ";
                used = 2 + wide;
            }
            text += &part;
        }
        text
    }

    /// `Epoch 3/10 57/100 ━━━━━━━━━━━───────── ETA 1s, 2ms/step - loss: 0.1234`, in one line of at most `width`
    /// columns.
    ///
    /// Epoch and loss have priority, then the batch, the bar, the remaining time, the metrics, and the pace.
    #[cfg(feature = "progress")]
    pub(super) fn running(&self, width: usize) -> String {
        let (done, all) = self.batch;
        let mut logs = self.logs.parts();
        let (mut left, mut right) = (self.head(), String::new());
        let mut room = width.saturating_sub(columns(&left));
        let mut add = |to: &mut String, part: String| {
            let wide = columns(&part);
            let fits = wide <= room;
            if fits {
                room -= wide;
                *to += &part;
            }
            fits
        };
        if let Some(loss) = logs.next() {
            add(&mut right, format!(" - {loss}"));
        }
        let cells = (width / 8).clamp(5, 20);
        let full = (cells * done).div_ceil(all.max(1)).min(cells);
        let eta = self.elapsed.mul_f64((all.saturating_sub(done)) as f64 / done.max(1) as f64);
        let bar = format!(" {}{}", "━".repeat(full), "─".repeat(cells - full));
        let _ = add(&mut left, format!(" {done}/{all}"))
            && add(&mut left, bar)
            && add(&mut left, format!(" ETA {}", clock(eta)))
            && logs.all(|part| add(&mut right, format!(" - {part}")))
            && add(&mut left, format!(", {}", self.pace()));
        console::truncate_str(&(left + &right), width, "").into_owned()
    }
}

/// `7s`, `2m07s`, `3h05m`.
#[cfg(feature = "progress")]
fn clock(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        seconds => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// Returns the number of terminal columns of a text.
fn columns(text: &str) -> usize {
    #[cfg(feature = "progress")]
    return console::measure_text_width(text);
    #[cfg(not(feature = "progress"))]
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(names: &[&str]) -> Logs {
        let mut logs = Logs::default();
        names.iter().zip([1.1094, 0.3273, 0.6581, 1.1011, 0.3332, 0.667]).for_each(|(n, v)| logs.set(n, v));
        logs
    }

    const NAMES: [&str; 6] =
        ["loss", "accuracy", "top_k_accuracy", "val_loss", "val_accuracy", "val_top_k_accuracy"];

    #[track_caller]
    fn ends(width: usize, lines: &[&str]) {
        let logs = logs(&NAMES);
        let elapsed = Duration::from_micros(39_000);
        let line = ProgressLine { number: None, epoch: (1, 3), batch: (1000, 1000), elapsed, logs: &logs };
        assert_eq!(line.finished(width).lines().collect::<Vec<_>>(), lines);
        assert!(lines.iter().all(|line| columns(line) <= width));
    }

    #[test]
    fn a_finished_epoch_prints_all_metrics_without_breaking_words() {
        ends(
            40,
            &[
                "Epoch 1/3 - 0s 39us/step - loss: 1.1094",
                "  accuracy: 0.3273",
                "  top_k_accuracy: 0.6581",
                "  val_loss: 1.1011",
                "  val_accuracy: 0.3332",
                "  val_top_k_accuracy: 0.6670",
            ],
        );
        ends(
            80,
            &[
                "Epoch 1/3 - 0s 39us/step - loss: 1.1094 - accuracy: 0.3273",
                "  top_k_accuracy: 0.6581 - val_loss: 1.1011 - val_accuracy: 0.3332",
                "  val_top_k_accuracy: 0.6670",
            ],
        );
        ends(
            200,
            &[
                "Epoch 1/3 - 0s 39us/step - loss: 1.1094 - accuracy: 0.3273 - top_k_accuracy: 0.6581 - val_loss: 1.1011 - val_accuracy: 0.3332 - val_top_k_accuracy: 0.6670",
            ],
        );
    }

    #[cfg(feature = "progress")]
    #[track_caller]
    fn runs(width: usize, number: Option<usize>, epoch: (usize, usize), batch: (usize, usize), drawn: &str) {
        let logs = logs(&NAMES[..3]);
        let elapsed = Duration::from_secs(57);
        let line = ProgressLine { number, epoch, batch, elapsed, logs: &logs };
        assert_eq!(line.running(width), drawn);
        assert!(columns(drawn) <= width);
    }

    #[test]
    #[cfg(feature = "progress")]
    fn a_running_epoch_is_one_line_with_the_most_important_parts() {
        let half = |width, drawn| runs(width, None, (2, 30), (57, 114), drawn);
        half(5, "Epoch");
        half(22, "Epoch 2/30 57/114");
        half(25, "Epoch 2/30 - loss: 1.1094");
        half(40, "Epoch 2/30 57/114 ━━━── - loss: 1.1094");
        half(60, "Epoch 2/30 57/114 ━━━━─── ETA 57s - loss: 1.1094");
        half(80, "Epoch 2/30 57/114 ━━━━━───── ETA 57s - loss: 1.1094 - accuracy: 0.3273");
        half(
            200,
            "Epoch 2/30 57/114 ━━━━━━━━━━────────── ETA 57s, 1s/step - loss: 1.1094 - accuracy: 0.3273 - top_k_accuracy: 0.6581",
        );
        runs(40, None, (100, 1000), (1000, 1000), "Epoch 100/1000 1000/1000 - loss: 1.1094");
        runs(40, Some(12), (2, 30), (57, 114), "#12 Epoch 2/30 57/114 - loss: 1.1094");
    }

    #[test]
    #[cfg(feature = "progress")]
    fn the_line_is_never_wider_than_the_terminal() {
        let logs = logs(&["loss", "an_accuracy_with_the_longest_of_all_names", "正解率", "val_loss"]);
        for width in 0..250 {
            for done in [0, 1, 57, 100] {
                let elapsed = Duration::from_millis(130_000 * done as u64);
                let line = ProgressLine {
                    number: Some(3),
                    epoch: (9, 10),
                    batch: (done, 100),
                    elapsed,
                    logs: &logs,
                };
                let drawn = line.running(width);
                assert!(columns(&drawn) <= width && !drawn.contains('\n'), "{width}: {drawn}");
                let text = line.finished(width);
                assert!(logs.parts().all(|part| text.contains(&part)), "{width}: {text}");
            }
        }
    }

    #[test]
    #[cfg(feature = "progress")]
    fn the_remaining_time_is_short() {
        let clocks = [0, 59, 60, 127, 3599, 3600, 11_100].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(clocks, ["0s", "59s", "1m00s", "2m07s", "59m59s", "1h00m", "3h05m"]);
    }
}
