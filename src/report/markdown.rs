//! Conversion of the pages of the findings from Markdown to HTML.
//!
//! `pulldown-cmark` parses and writes. This module drops what a single page cannot show: links into the documentation, raw HTML, and
//! the lines of an example that the documentation hides.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Converts a page to HTML, with headings below those of the report.
pub(super) fn rendered(page: &str) -> String {
    let mut is_code = false;
    let events = Parser::new_ext(page, Options::ENABLE_TABLES).filter_map(|event| {
        match &event {
            Event::Start(Tag::CodeBlock(_)) => is_code = true,
            Event::End(TagEnd::CodeBlock) => is_code = false,
            _ => {}
        }
        Some(match event {
            Event::Start(Tag::Heading { .. }) => Event::Html("<h4>".into()),
            Event::End(TagEnd::Heading(_)) => Event::Html("</h4>\n".into()),
            Event::Start(Tag::CodeBlock(_)) => Event::Html("<pre>".into()),
            Event::End(TagEnd::CodeBlock) => Event::Html("</pre>\n".into()),
            Event::Start(Tag::Link { .. } | Tag::HtmlBlock)
            | Event::End(TagEnd::Link | TagEnd::HtmlBlock) => {
                return None;
            }
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            Event::Text(text) if is_code => Event::Text(shown(&text)),
            event => event,
        })
    });
    let mut to = String::new();
    html::push_html(&mut to, events);
    to.replace("<table>", "<div class=\"scroll\"><table>").replace("</table>", "</table></div>")
}

/// Returns the lines of an example that the documentation shows.
fn shown(code: &str) -> CowStr<'static> {
    let lines = code.split_inclusive('\n').filter(|line| line.trim_end() != "#" && !line.starts_with("# "));
    lines.collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::explain;

    #[test]
    fn markdown_becomes_escaped_html() {
        let page = "# A <b>\nOne `x`\nline of [N0101](crate::N0101).\n\n- first\n  goes on\n- **second**\n\n| a | b |\n|---|---|\n| `c` | d |\n\n\
                    ```rust\n# hidden\nlet x = 1 < 2;\n```\n";
        let expected = "<h4>A &lt;b&gt;</h4>\n<p>One <code>x</code>\nline of N0101.</p>\n<ul>\n<li>first\ngoes on</li>\n\
                        <li><strong>second</strong></li>\n</ul>\n\
                        <div class=\"scroll\"><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>\n\
                        <tr><td><code>c</code></td><td>d</td></tr>\n</tbody></table></div>\n\
                        <pre>let x = 1 &lt; 2;\n</pre>\n";
        assert_eq!(rendered(page), expected);
    }

    #[test]
    fn every_page_is_rendered() {
        let codes = (1..=5).flat_map(|group| (1..=20).map(move |place| format!("N0{group}{place:02}")));
        let pages: Vec<_> = codes.filter_map(|code| Some((explain(&code)?, code))).collect();
        assert!(pages.len() > 30, "{}", pages.len());
        for (page, code) in pages {
            let html = rendered(page);
            assert!(
                html.contains(&code)
                    && !html.contains("```")
                    && html.contains("<pre>")
                    && !html.contains("crate::"),
                "{code}: {html}"
            );
        }
    }
}
