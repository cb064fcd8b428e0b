//! Charts show what there is: every fault window, every kind of end, and nothing where there is nothing.

use super::*;
use crate::report::fixture;

fn svg(charts: &[Chart], slug: &str) -> String {
    charts.iter().find(|c| c.slug == slug).and_then(Chart::svg).unwrap_or_else(|| panic!("there is a chart {slug}"))
}

/// The rectangles of a picture as (x, width, colour, opacity).
fn rectangles(svg: &str) -> Vec<(i64, i64, String, String)> {
    let attribute =
        |line: &str, name: &str| line.split_once(&format!(" {name}=\"")).and_then(|(_, l)| l.split_once('"')).map(|(v, _)| v.to_owned());
    let number = |line: &str, name: &str| attribute(line, name).and_then(|v| v.parse().ok()).unwrap_or(-1);
    svg.lines()
        .filter(|l| l.starts_with("<rect "))
        .map(|l| {
            (number(l, "x"), number(l, "width"), attribute(l, "fill").unwrap_or_default(), attribute(l, "opacity").unwrap_or_default())
        })
        .collect()
}

#[test]
fn every_fault_window_is_shaded_and_named_over_time() {
    for outcome in [fixture::two_arms(), fixture::hostile()] {
        let arm = &outcome.arms[0];
        let charts = of_arm(arm);
        for slug in ["latency", "throughput", "depth"] {
            let svg = svg(&charts, slug);
            let shades = rectangles(&svg).into_iter().filter(|(_, _, _, opacity)| opacity == "0.13").count();
            let windows: usize = arm.shown.ledger.iter().map(|row| row.strikes.len()).sum();
            assert_eq!(shades, windows, "{slug} of {}", outcome.scenario);
            for row in arm.shown.ledger.iter().filter(|row| !row.strikes.is_empty()).take(7) {
                let name = scene::escape(&row.name);
                assert!(svg.contains(&name.replace("&#39;", "&apos;")), "{slug} does not name {name}");
            }
            for (name, _) in backdrop(arm).phases.iter().filter(|(name, _)| name.len() < 6 && name != "final") {
                assert!(svg.contains(&format!(">\n{name}\n<")), "{slug} does not name the phase {name}");
            }
        }
    }
}

#[test]
fn windows_stand_where_they_were() {
    let outcome = fixture::two_arms();
    let svg = svg(&of_arm(&outcome.arms[0]), "latency");
    let shades: Vec<_> = rectangles(&svg).into_iter().filter(|(_, _, _, opacity)| opacity == "0.13").collect();
    // From 76 to 932 pixels are 90 seconds, in quarters of a pixel.
    let pixel = |ms: i64| (76 * 4) + ms * (932 - 76) * 4 / 90_000;
    let near = |a: i64, b: i64| (a - b).abs() <= 2;
    assert!(near(shades[0].0, pixel(20_000)) && near(shades[0].1, pixel(26_000) - pixel(20_000)), "{shades:?}");
    let last = shades.last().unwrap();
    assert!(near(last.0 + last.1, pixel(90_000)), "a strike without an end lasts to the end: {last:?}");
}

#[test]
fn many_faults_share_a_lane_and_say_so() {
    let outcome = fixture::hostile();
    let svg = svg(&of_arm(&outcome.arms[0]), "latency");
    assert!(svg.contains("4 more: "));
}

#[test]
fn nothing_to_show_is_no_chart() {
    let outcome = fixture::empty();
    for chart in of_arm(&outcome.arms[0]) {
        assert!(!chart.is_drawn() && chart.svg().is_none(), "{}", chart.slug);
        assert!(chart.nothing.ends_with('.'));
    }
    assert!(!contrast(&outcome.arms).is_drawn());
    assert!(contrast(&fixture::two_arms().arms).is_drawn());
}

#[test]
fn every_drawn_chart_has_data_text_and_a_sentence_for_those_who_cannot_see() {
    for outcome in fixture::all() {
        let charts: Vec<Chart> = outcome.arms.iter().flat_map(of_arm).chain([contrast(&outcome.arms)]).filter(Chart::is_drawn).collect();
        for chart in charts {
            let svg = chart.svg().unwrap();
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
            assert!(svg.contains(&format!("<title>{}.", chart.title)));
            let data = svg.matches("<polyline").count() + svg.matches("<polygon").count() + svg.matches("<rect").count();
            assert!(data > 4 && svg.matches("<text").count() > 5, "{} is empty", chart.slug);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", chart.slug);
            assert!(!svg.contains("<script") && !svg.contains('\u{1b}'));
        }
    }
}

#[test]
fn lines_have_gaps_where_nothing_was_acknowledged() {
    let outcome = fixture::two_arms();
    let svg = svg(&of_arm(&outcome.arms[0]), "latency");
    // Two outages and the end of the load cut each of three lines into three stretches.
    let lines = svg.lines().filter(|l| l.starts_with("<polyline") && l.matches(',').count() > 10).count();
    assert_eq!(lines, 9);
}

#[test]
fn accounts_name_every_part_with_its_number() {
    let outcome = fixture::two_arms();
    let arm = &outcome.arms[1];
    let svg = svg(&of_arm(arm), "accounting");
    let a = &arm.shown.judged.accounting;
    for (name, n) in
        [("acknowledged", a.ok), ("acknowledged, but lost", a.lost), ("unknown, but arrived", a.recovered), ("still held", a.held)]
    {
        let text = format!("{name}: {}", crate::report::words::count(n));
        assert!(svg.contains(&text), "{text}");
    }
}

/// Where it is asked for, every picture goes into a folder, to be looked at.
#[test]
fn pictures_to_look_at() {
    let Ok(dir) = std::env::var("REPORT_PICTURES") else {
        return;
    };
    let options = crate::report::Options { png: true, junit: true };
    for outcome in fixture::all() {
        crate::report::write(&outcome, std::path::Path::new(&dir), options).unwrap();
    }
}
