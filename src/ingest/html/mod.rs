//! The lines of an HTML part, and which of them a person can see.
//!
//! Knows tags, text, and the comments that Outlook reads. Never runs scripts, loads anything, or
//! takes text from comments. Its text comes decoded from `text`, its tokens from a WHATWG tokenizer,
//! so that a comment is a comment where browsers say so.

mod elements;
mod page;

use html5gum::{DefaultEmitter, Token, Tokenizer};
use memchr::memmem;

use super::css::{Element, Sheet};
use super::text::Line;
use page::Page;

/// HTML within HTML that is not shown: frames, conditional comments.
const MAX_INNER: usize = 3;

/// The lines of an HTML text. Hidden text makes lines of its own.
pub(super) fn lines(html: &str) -> Vec<Line> {
    let sheet = match memmem::find(html.to_ascii_lowercase().as_bytes(), b"<style") {
        Some(_) => style_sheet(html),
        None => Sheet::default(),
    };
    read(html, Page::new(&sheet), 0)
}

fn read(html: &str, mut page: Page<'_>, depth: usize) -> Vec<Line> {
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                let element = element(&tag);
                if let Some(framed) = element.attribute("srcdoc") {
                    page.add_unseen(unseen(framed, depth));
                }
                page.open(element);
            }
            Token::EndTag(tag) => page.close(&utf8(&tag.name)),
            Token::String(text) => {
                let text = String::from_utf8_lossy(&text.value);
                match page.is_raw() && text.contains('<') {
                    true => page.add_unseen(unseen(&text, depth)),
                    false => page.text(&text),
                }
            }
            Token::Comment(comment) => {
                let comment = String::from_utf8_lossy(&comment.value);
                if let Some(inside) = conditional(&comment) {
                    page.add_unseen(unseen(inside, depth));
                }
            }
            _ => {}
        }
    }
    page.finish()
}

/// HTML that only some readers show.
fn unseen(html: &str, depth: usize) -> Vec<Line> {
    if depth == MAX_INNER {
        return super::text::unseen_lines(html);
    }
    let sheet = Sheet::default();
    read(html, Page::new(&sheet), depth + 1)
}

/// The inside of `<!--[if mso]> … <![endif]-->`, which Outlook shows.
fn conditional(comment: &str) -> Option<&str> {
    let condition = comment.trim_start().strip_prefix("[if")?;
    condition.split_once("]>").map(|(_, inside)| inside)
}

fn tokens(html: &str) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).map(|token| match token {
        Ok(token) => token,
        Err(never) => match never {},
    })
}

/// The rules of all `<style>` elements, wherever they stand.
fn style_sheet(html: &str) -> Sheet {
    let mut sheet = Sheet::default();
    let mut inside: Option<String> = None;
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                inside = (tag.name.as_slice() == b"style").then(|| media(&element(&tag)));
            }
            Token::String(text) => {
                if let Some(media) = &inside {
                    sheet.add(&String::from_utf8_lossy(&text.value), media);
                }
            }
            _ => inside = None,
        }
    }
    sheet
}

/// The screens that a sheet is for; one of a foreign type may be for none.
fn media(style: &Element) -> String {
    let kind = style.attribute("type").unwrap_or("text/css").trim();
    if !kind.is_empty() && !kind.eq_ignore_ascii_case("text/css") {
        return "unknown".to_owned();
    }
    style.attribute("media").unwrap_or_default().to_owned()
}

fn element(tag: &html5gum::StartTag<()>) -> Element {
    let attributes = tag.attributes.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(&value.value).into_owned();
        (utf8(name), value)
    });
    Element {
        name: utf8(&tag.name),
        attributes: attributes.collect(),
    }
}

fn utf8(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

#[cfg(test)]
mod style_tests;
#[cfg(test)]
mod tests;
