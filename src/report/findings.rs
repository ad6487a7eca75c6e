//! The findings: one sentence at the top of the page, and details below.

use std::fmt::Write;

use super::html::{escaped, number};
use crate::diagnosis::{Finding, Findings, Trial, explain};

/// Writes the verdict: what is wrong and what to do.
pub(super) fn verdict(html: &mut String, findings: &Findings) {
    let roots: Vec<&Finding> = findings.roots().filter(findings.visible()).collect();
    if roots.is_empty() {
        let text = "The diagnosis found nothing that keeps this network from learning.";
        let _ = writeln!(html, "<section class=\"verdict good\"><p class=\"what\">{text}</p></section>");
        return;
    };
    let (class, lead) = match findings.failed {
        true => ("error", "This network did not learn"),
        false => ("warning", "This network learned, but could learn better"),
    };
    let _ = writeln!(html, "<section class=\"verdict {class}\"><p class=\"lead\">{lead}</p>");
    for root in roots.iter().take(3) {
        let _ = writeln!(
            html,
            "<p class=\"what\"><a href=\"#{code}\">{code}</a> {}{}</p>",
            marked(&capital(&root.title)),
            place(root),
            code = escaped(&root.code),
        );
    }
    if roots.len() > 3 {
        let _ = writeln!(html, "<p><a href=\"#findings\">and {} more</a></p>", roots.len() - 3);
    }
    match findings.iter().flat_map(|finding| &finding.trials).find(|trial| trial.advised) {
        Some(trial) => advice(html, findings, trial),
        None => {
            let helps: Vec<&str> = roots.iter().filter_map(|root| Some(&*root.helps.first()?.text)).collect();
            if let Some(help) = helps.first() {
                let _ = writeln!(html, "<p class=\"do\"><b>What helps:</b> {}</p>", marked(help));
            }
        }
    }
    html.push_str("</section>\n");
}

/// Writes the remedy that a trial showed to help, and by how much.
fn advice(html: &mut String, findings: &Findings, trial: &Trial) {
    html.push_str("<div class=\"do\"><b>Do this:</b><ul>");
    for code in &trial.codes {
        if let Some(help) = findings.of(code).and_then(|finding| finding.helps.first()) {
            let _ = write!(html, "<li>{}</li>", marked(&help.text));
        }
    }
    let (from, to) = trial.loss;
    let loss = |loss: Option<f64>| loss.map_or("diverged".into(), number);
    let _ = write!(html, "</ul><p>Tried for {} steps: ", trial.steps);
    if let Some((from, to)) = trial.accuracy {
        let _ = write!(html, "accuracy <b>{:.1} % → {:.1} %</b>, ", 100.0 * from, 100.0 * to);
    }
    let _ = writeln!(html, "loss <b>{} → {}</b>.</p></div>", loss(from), loss(to));
}

/// Writes all findings, each root with its consequences.
pub(super) fn section(html: &mut String, findings: &Findings) {
    let shown = findings.visible();
    let roots: Vec<&Finding> = findings.roots().filter(&shown).collect();
    if roots.is_empty() {
        return;
    }
    html.push_str("<section id=\"findings\"><h2>Findings</h2>\n");
    for root in roots {
        let severity = root.severity;
        let code = escaped(&root.code);
        let _ = writeln!(
            html,
            "<article class=\"finding {severity}\" id=\"{code}\"><h3><span class=\"badge\">{severity} {code}</span> {}</h3>",
            marked(&root.title)
        );
        if !root.place.is_empty() {
            let _ = writeln!(html, "<p class=\"place\">{}</p>", marked(&root.place.join(" → ")));
        }
        list(html, "evidence", root.evidence.iter().map(|line| marked(line)));
        let leads = |finding: &&Finding| finding.causes.first() == Some(&root.code);
        let effects = findings.iter().filter(leads).filter(&shown).map(|effect| {
            let line = effect.evidence.first().map_or(String::new(), |line| format!("; {}", marked(line)));
            let (severity, code) = (effect.severity, escaped(&effect.code));
            let title = marked(&effect.title);
            format!("<span id=\"{code}\" class=\"badge {severity}\">{severity} {code}</span> {title}{line}")
        });
        let effects: Vec<String> = effects.collect();
        if !effects.is_empty() {
            html.push_str("<h4>What follows from it</h4>");
            list(html, "effects", effects.into_iter());
        }
        if !root.helps.is_empty() {
            html.push_str("<h4>What helps</h4>");
            list(html, "helps", root.helps.iter().map(|help| marked(&help.text)));
        }
        trials(html, root);
        if let Some(page) = explain(&root.code) {
            let page = super::markdown::rendered(page);
            let _ = writeln!(
                html,
                "<details><summary>About {code}</summary><div class=\"page\">{page}</div></details>"
            );
        }
        html.push_str("</article>\n");
    }
    html.push_str("</section>\n");
}

fn trials(html: &mut String, root: &Finding) {
    if root.trials.is_empty() {
        return;
    }
    html.push_str(
        "<h4>What was tried</h4><div class=\"scroll\"><table><tr><th>helps of<th>steps<th>loss<th>accuracy<th></tr>",
    );
    let loss = |loss: Option<f64>| loss.map_or("diverged".into(), number);
    for trial in &root.trials {
        let accuracy = trial.accuracy;
        let accuracy = accuracy.map_or("".into(), |(from, to)| format!("{} → {}", number(from), number(to)));
        let end = match (trial.advised, trial.learned) {
            (true, _) => "<b>do this</b>",
            (false, true) => "helps",
            (false, false) => "does not help",
        };
        let _ = write!(
            html,
            "<tr><td>{}<td>{}<td>{} → {}<td>{accuracy}<td>{end}</tr>",
            escaped(trial.codes.join(" + ")),
            trial.steps,
            loss(trial.loss.0),
            loss(trial.loss.1)
        );
    }
    html.push_str("</table></div>\n");
}

fn list(html: &mut String, class: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.map(|item| format!("<li>{item}</li>")).collect();
    if !items.is_empty() {
        let _ = writeln!(html, "<ul class=\"{class}\">{}</ul>", items.concat());
    }
}

fn place(finding: &Finding) -> String {
    match finding.place.first() {
        Some(place) => format!(" <span class=\"place\">{}</span>", marked(place)),
        None => String::new(),
    }
}

/// Capitalizes the first letter.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    first + chars.as_str()
}

/// Marks up parts between backticks as code.
pub(super) fn marked(text: &str) -> String {
    let part = |(place, part): (usize, &str)| match place % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    };
    text.split('`').enumerate().map(part).collect()
}
