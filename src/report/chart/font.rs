//! The letters of charts: for PNG an embedded subset of DejaVu Sans, for SVG alone whatever the viewer has.

/// Makes the letters known to plotters. Without the feature `png` plotters draws SVG only and needs none.
#[cfg(not(feature = "png"))]
pub(super) fn ready() {}

/// Makes the letters known to plotters, once. With the feature `png` it measures text, also for SVG, and finds no font by itself.
#[cfg(feature = "png")]
pub(super) fn ready() {
    use plotters::style::{FontStyle, register_font};
    use std::sync::Once;

    static REGULAR: &[u8] = include_bytes!("../font/DejaVuSans-Regular.subset.ttf");
    static BOLD: &[u8] = include_bytes!("../font/DejaVuSans-Bold.subset.ttf");
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (style, bytes) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD)] {
            assert!(register_font("sans-serif", style, bytes).is_ok(), "the embedded font is a font");
        }
    });
}
