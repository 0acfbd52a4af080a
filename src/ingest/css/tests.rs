use super::color::{background, color, legacy};
use super::length::{font_size, pixels};
use super::*;

#[track_caller]
fn check_color(text: &str, expected: &str) {
    let found = match color(text) {
        None => "none".to_owned(),
        Some(color::Said::Inherited) => "around".to_owned(),
        Some(color::Said::Paint(Paint::Unknown)) => "unknown".to_owned(),
        Some(color::Said::Paint(Paint::Known([r, g, b], alpha))) => {
            format!("{r:02x}{g:02x}{b:02x} {alpha:.2}")
        }
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn colours_in_every_writing() {
    for (text, expected) in [
        ("#fff", "ffffff 1.00"),
        ("#ffff", "ffffff 1.00"),
        ("#00000000", "000000 0.00"),
        ("azure", "f0ffff 1.00"),
        ("rgb(255, 254, 0)", "fffe00 1.00"),
        ("rgb(100% 50% 0% / 25%)", "ff8000 0.25"),
        ("rgba(1,2,3,.5)", "010203 0.50"),
        ("hsl(120, 100%, 25%)", "008000 1.00"),
        ("hsl(0 0% 100% / 0)", "ffffff 0.00"),
        ("hwb(0 100% 0%)", "ffffff 1.00"),
        ("transparent", "000000 0.00"),
        ("currentcolor", "around"),
        ("var(--x, #000)", "unknown"),
        ("lab(100 0 0)", "unknown"),
        ("bogus", "none"),
        ("#000 bogus", "none"),
        ("#ggg", "none"),
    ] {
        check_color(text, expected);
    }
}

#[test]
fn every_text_is_a_colour_in_an_attribute() {
    for (text, rgb) in [
        ("white", [255; 3]),
        ("#FFFFFFFFFFF", [255, 255, 255]),
        ("chucknorris", [0xc0, 0, 0]),
        ("#fff", [255; 3]),
        ("ffffff", [255; 3]),
    ] {
        assert_eq!(legacy(text), Some(Paint::opaque(rgb)), "{text}");
    }
}

#[test]
fn a_gradient_lies_over_the_colour() {
    let said = background("#fff linear-gradient(#000, rgb(1, 2, 3))", true).unwrap();
    assert!(!said.contains(&color::Said::Paint(Paint::opaque([255; 3]))));
    assert!(said.contains(&color::Said::Paint(Paint::opaque([1, 2, 3]))));
    assert_eq!(background("url(x.png)", false), None);
    assert_eq!(background("none", true), Some(vec![color::Said::Inherited]));
}

#[test]
fn lengths_and_sizes() {
    assert_eq!(pixels("3pt"), Some(4.0));
    assert_eq!(pixels("1e-3px"), Some(0.001));
    assert_eq!(pixels("auto"), None);
    assert_eq!(font_size("50%"), Some(Size::Relative(0.5)));
    assert_eq!(font_size("calc(1px * 0)"), Some(Size::Fixed(0.0)));
    assert_eq!(font_size("xx-small"), Some(Size::Fixed(9.0)));
    assert_eq!(font_size("bogus"), None);
}
