//! Selectors: which elements a rule is for.
//!
//! Knows names, ids, classes, attributes, what stands around an element, and the states that text in
//! a mail is never in. Never guesses: a condition that cannot be told here makes the rule one that
//! may apply. Its text stands before a rule's brace.

use std::cell::Cell;

use super::element::Element;
use super::scan::unescaped;

/// How an element stands to the one on the left.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Link {
    Within,
    Child,
    Sibling,
}

/// What must be true of one element.
#[derive(Clone, Debug, Default)]
struct Compound {
    name: Option<String>,
    id: Option<String>,
    classes: Vec<String>,
    attributes: Vec<Test>,
}

/// `[name operator value]`
#[derive(Clone, Debug)]
struct Test {
    name: String,
    operator: u8,
    value: String,
}

/// One selector of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    /// From left to right, each with its link to the one before.
    parts: Vec<(Link, Compound)>,
    pub(super) specificity: u32,
    /// Whether it holds depends on what is not known here.
    pub(super) maybe: bool,
    /// It holds only for a pointer that hovers, or for text that the sheet itself makes.
    never: bool,
    /// A browser takes it for none, and drops the whole list.
    odd: bool,
}

/// The selectors of a list that may hold.
pub(super) fn selectors(list: &str) -> Vec<Selector> {
    let read = super::scan::split(list, b',').map(|text| Reader::new(text).selector());
    let mut all: Vec<Selector> = read.collect();
    if all.iter().any(|selector| selector.odd) {
        all.iter_mut().for_each(|selector| selector.maybe = true);
    }
    all.retain(|selector| !selector.never);
    all
}

impl Selector {
    /// Whether the element, the last of `path`, is meant; `steps` counts what that took.
    pub(super) fn fits(&self, path: &[&Element], steps: &Cell<usize>) -> bool {
        let last = self
            .parts
            .len()
            .checked_sub(1)
            .zip(path.len().checked_sub(1));
        last.is_none_or(|(part, at)| self.fits_at(part, path, at, steps))
    }

    fn fits_at(&self, part: usize, path: &[&Element], at: usize, steps: &Cell<usize>) -> bool {
        let (link, compound) = &self.parts[part];
        steps.set(steps.get() + compound.cost(path[at]));
        if steps.get() > super::sheet::MAX_STEPS {
            return true;
        }
        if !compound.fits(path[at]) {
            return false;
        }
        match (part, link) {
            (0, _) => true,
            (_, Link::Child) => at > 0 && self.fits_at(part - 1, path, at - 1, steps),
            _ => (0..at)
                .rev()
                .any(|at| self.fits_at(part - 1, path, at, steps)),
        }
    }
}

impl Compound {
    fn cost(&self, element: &Element) -> usize {
        match &self.name {
            Some(name) if *name != element.name => 1,
            _ => element.cost(),
        }
    }

    fn fits(&self, element: &Element) -> bool {
        let is_id = |id: &String| {
            let own = element.attribute("id");
            own.is_some_and(|own| own.eq_ignore_ascii_case(id))
        };
        self.name.as_ref().is_none_or(|name| *name == element.name)
            && self.id.as_ref().is_none_or(is_id)
            && self.classes.iter().all(|class| element.has_class(class))
            && self.attributes.iter().all(|test| test.fits(element))
    }
}

impl Test {
    fn fits(&self, element: &Element) -> bool {
        let Some(value) = element.attribute(&self.name) else {
            return false;
        };
        let (value, wanted) = (value.to_ascii_lowercase(), self.value.as_str());
        match self.operator {
            b'=' => value == wanted,
            b'~' => value.split_ascii_whitespace().any(|word| word == wanted),
            b'^' => !wanted.is_empty() && value.starts_with(wanted),
            b'$' => !wanted.is_empty() && value.ends_with(wanted),
            b'*' => !wanted.is_empty() && value.contains(wanted),
            b'|' => value.split('-').next() == Some(wanted) || value == wanted,
            _ => true,
        }
    }
}

/// Reads one selector.
struct Reader<'t> {
    rest: &'t str,
    selector: Selector,
    link: Option<Link>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            rest: text.trim(),
            selector: Selector::default(),
            link: Some(Link::Within),
        }
    }

    fn selector(mut self) -> Selector {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '>' | '+' | '~' => {
                    let link = if next == '>' {
                        Link::Child
                    } else {
                        Link::Sibling
                    };
                    self.link = Some(link);
                    self.skip(1);
                }
                next if next.is_ascii_whitespace() => {
                    self.link = self.link.or(Some(Link::Within));
                    self.skip(1);
                }
                next => self.simple(next),
            }
        }
        self.selector.odd |= self.selector.parts.is_empty();
        self.selector
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    /// The compound that is being read; a new one behind a link.
    fn compound(&mut self) -> &mut Compound {
        let parts = &mut self.selector.parts;
        if let Some(link) = self.link.take() {
            // What stands beside an element is not kept.
            let beside = if link == Link::Sibling {
                parts.pop()
            } else {
                None
            };
            self.selector.maybe |= link == Link::Sibling;
            let link = beside.map_or(link, |(link, _)| link);
            parts.push((link, Compound::default()));
        } else if parts.is_empty() {
            parts.push((Link::Within, Compound::default()));
        }
        let last = parts.len() - 1;
        &mut parts[last].1
    }

    /// One condition.
    fn simple(&mut self, next: char) {
        self.compound();
        match next {
            '*' => self.skip(1),
            '&' => {
                self.selector.maybe = true;
                self.skip(1);
            }
            '.' | '#' => {
                self.skip(1);
                let name = self.name();
                self.selector.odd |= name.is_empty();
                self.selector.specificity += if next == '.' { 1 << 8 } else { 1 << 16 };
                match next {
                    '.' => self.compound().classes.push(name),
                    _ => self.compound().id = Some(name),
                }
            }
            '[' => self.attribute(),
            ':' => self.pseudo(),
            next if is_name(next) => {
                let name = self.name().to_ascii_lowercase();
                self.selector.specificity += 1;
                self.compound().name = Some(name);
            }
            odd => {
                self.selector.odd = true;
                self.skip(odd.len_utf8());
            }
        }
    }

    fn name(&mut self) -> String {
        let mut end = 0;
        let mut escaped = false;
        for ch in self.rest.chars() {
            if !escaped && ch != '\\' && !is_name(ch) {
                break;
            }
            escaped = !escaped && ch == '\\';
            end += ch.len_utf8();
        }
        let name = unescaped(&self.rest[..end]).into_owned();
        self.skip(end);
        name
    }

    fn attribute(&mut self) {
        let end = super::scan::find(&self.rest[1..], b"]").map_or(self.rest.len(), |at| at + 1);
        let text = self.rest[1..end].trim().to_owned();
        self.skip((end + 1).min(self.rest.len()));
        let name = text
            .split(['=', '~', '^', '$', '*', '|'])
            .next()
            .unwrap_or_default();
        let (operator, value) = match text.split_once('=') {
            None => (0, ""),
            Some((front, value)) => match front.as_bytes().last() {
                Some(&byte @ (b'~' | b'^' | b'$' | b'*' | b'|')) => (byte, value),
                _ => (b'=', value),
            },
        };
        let value = value.trim();
        let quoted = value.strip_prefix(['"', '\'']);
        let value = quoted.map_or(value, |rest| rest.split(['"', '\'']).next().unwrap_or(rest));
        let value = match quoted {
            None => value.split_ascii_whitespace().next().unwrap_or_default(),
            Some(_) => value,
        };
        let test = Test {
            name: name.trim().to_ascii_lowercase(),
            operator,
            value: unescaped(value).to_ascii_lowercase(),
        };
        self.selector.specificity += 1 << 8;
        self.compound().attributes.push(test);
    }

    fn pseudo(&mut self) {
        let colons = self.rest.len() - self.rest.trim_start_matches(':').len();
        self.skip(colons);
        let name = self.name().to_ascii_lowercase();
        if self.rest.starts_with('(') {
            let end = super::scan::find(&self.rest[1..], b")").map_or(self.rest.len(), |at| at + 2);
            self.skip(end.min(self.rest.len()));
        }
        self.selector.specificity += 1 << 8;
        match name.as_str() {
            "hover" | "active" | "focus" | "focus-within" | "focus-visible" | "visited"
            | "target" | "before" | "after" | "selection" | "placeholder" | "marker"
            | "backdrop" | "checked" | "disabled" | "invalid" | "fullscreen" => {
                self.selector.never = true
            }
            name if name.starts_with('-') => self.selector.never = true,
            "root" => self.compound().name = Some("html".to_owned()),
            "link" | "any-link" => self.compound().name = Some("a".to_owned()),
            _ => self.selector.maybe = true,
        }
    }
}

fn is_name(ch: char) -> bool {
    ch.is_alphanumeric() || matches!(ch, '-' | '_' | '\\') || !ch.is_ascii()
}
