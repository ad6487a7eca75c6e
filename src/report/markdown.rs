//! The pages about findings, which are Markdown, as HTML: as much of it as they use.

use std::fmt::Write;

use super::findings::marked;
use super::html::escaped;

/// Headings, paragraphs, lists and code; other lines are text.
pub(super) fn rendered(page: &str) -> String {
    let mut html = String::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            // Lines that the documentation hides are no part of the example.
            let shown = code.into_iter().filter(|line| *line != "#" && !line.starts_with("# "));
            let _ = writeln!(html, "<pre>{}</pre>", escaped(shown.collect::<Vec<_>>().join("\n")));
        } else if line.starts_with('#') {
            let _ = writeln!(html, "<h4>{}</h4>", marked(line.trim_start_matches(['#', ' '])));
        } else if line.starts_with('|') {
            html.push_str("<div class=\"scroll\"><table>");
            let rows = std::iter::once(line)
                .chain(std::iter::from_fn(|| lines.next_if(|line| line.starts_with('|'))));
            for row in rows.filter(|row| !row.starts_with("|---")) {
                let cells = row.trim_matches('|').split('|').map(|cell| format!("<td>{}", text(cell.trim())));
                let _ = write!(html, "<tr>{}</tr>", cells.collect::<String>());
            }
            html.push_str("</table></div>\n");
        } else if !line.trim().is_empty() {
            let is_item = line.starts_with("- ");
            let mut all = line.trim_start_matches("- ").to_string();
            let goes_on = |line: &&str| {
                !line.trim().is_empty()
                    && !["#", "```", "- ", "|"].iter().any(|start| line.starts_with(start))
            };
            while let Some(more) = lines.next_if(goes_on) {
                all.push(' ');
                all.push_str(more.trim());
            }
            let bullet = if is_item { "• " } else { "" };
            let _ = writeln!(html, "<p>{bullet}{}</p>", text(&all));
        }
    }
    html
}

/// Text, what is between `**` in bold.
fn text(text: &str) -> String {
    let part = |(place, part): (usize, &str)| match place % 2 {
        0 => marked(part),
        _ => format!("<b>{}</b>", marked(part)),
    };
    text.split("**").enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::explain;

    #[test]
    fn what_the_pages_use_is_known() {
        let page = "# A <b>\nOne `x`\nline.\n\n- first\n  goes on\n- **second**\n| a | b |\n|---|---|\n| `c` | d |\n```rust\n# hidden\nlet x = 1 < 2;\n```\n";
        let expected = "<h4>A &lt;b&gt;</h4>\n<p>One <code>x</code> line.</p>\n<p>• first goes on</p>\n<p>• <b>second</b></p>\n\
                        <div class=\"scroll\"><table><tr><td>a<td>b</tr><tr><td><code>c</code><td>d</tr></table></div>\n\
                        <pre>let x = 1 &lt; 2;</pre>\n";
        assert_eq!(rendered(page), expected);
        let codes = (1..=5).flat_map(|group| (1..=20).map(move |place| format!("N0{group}{place:02}")));
        let pages: Vec<_> = codes.filter_map(|code| Some((explain(&code)?, code))).collect();
        assert!(pages.len() > 30, "{}", pages.len());
        for (page, code) in pages {
            let html = rendered(page);
            assert!(
                html.contains(&code) && !html.contains("```") && html.contains("<pre>"),
                "{code}: {html}"
            );
        }
    }
}
