//! Comments where they are hard to see, and what they are about.

use std::fmt::Write as _;

use super::*;

/// Each comment with what it is about, both on one line.
fn read(text: &str) -> Vec<(String, String)> {
    let mut sources = SourceMap::new();
    let id = sources.add("a.yaml", text);
    let shown = |span: Span| text[span.range()].trim().replace(['\n', '\r'], "⏎");
    let pair = |one: Remark| (shown(one.span), one.about.map_or("nothing".to_owned(), shown));
    remarks(&sources, id).into_iter().map(pair).collect()
}

/// What the only comment is about.
fn about(text: &str) -> String {
    let all = read(text);
    assert_eq!(all.len(), 1, "{text}\n{all:?}");
    all.into_iter().next().unwrap().1
}

#[test]
fn a_comment_at_the_end_of_a_line_is_about_that_line() {
    for (text, expected) in [
        ("a: 1\nb: 2 # landbridge: x\nc: 3\n", "b: 2 # landbridge: x"),
        ("a:  # landbridge: x\n  b: 2\n", "a:  # landbridge: x"),
        ("- # landbridge: x\n  b: 2\n", "- # landbridge: x"),
        ("a: {b: 1, # landbridge: x\n  c: 2}\n", "a: {b: 1, # landbridge: x"),
        ("a: | # landbridge: x\n  text\n", "a: | # landbridge: x"),
        ("a: &b # landbridge: x\n  c: 1\n", "a: &b # landbridge: x"),
        ("--- # landbridge: x\na: 1\n", "--- # landbridge: x"),
        ("a: 1 # why # landbridge: x\n", "a: 1 # why # landbridge: x"),
        ("a: \"x\n  # y\" # landbridge: x\n", "# y\" # landbridge: x"),
        ("a: 1 # landbridge: x", "a: 1 # landbridge: x"),
    ] {
        assert_eq!(about(text), expected, "{text}");
        assert_eq!(about(&text.replace('\n', "\r\n")), expected, "{text}");
    }
}

#[test]
fn a_comment_of_its_own_line_is_about_what_begins_below() {
    for (text, expected) in [
        ("# landbridge: x\na: 1\nb: 2\n", "a: 1"),
        (
            "a: 1\n\n# landbridge: x\n\n# more\nb:\n  c: 1\n  d: 2\ne: 3\n",
            "# more⏎b:⏎  c: 1⏎  d: 2",
        ),
        ("a:\n  # landbridge: x\n  b: 1\n  c: 2\n", "b: 1"),
        ("a:\n  # landbridge: x\n  - b: 1\n    c: 2\n  - d: 3\n", "- b: 1⏎    c: 2"),
        ("a:\n- b\n# landbridge: x\n- c: 1\n  d: 2\n- e\n", "- c: 1⏎  d: 2"),
        ("a:\n-\n  # landbridge: x\n  c: 1\n  d: 2\n- e\n", "c: 1"),
        ("# landbridge: x\n- - a\n  - b\n- c\n", "- - a⏎  - b"),
        ("# landbridge: x\n- &a\n  b: 1\n- c\n", "- &a⏎  b: 1"),
        ("# landbridge: x\na:\n- b\n- c\nd: 1\n", "a:⏎- b⏎- c"),
        ("# landbridge: x\n? a\n: b\nc: d\n", "? a⏎: b"),
        ("# landbridge: x\n&a b: *a\nc: d\n", "&a b: *a"),
        ("# landbridge: x\na: |\n  text\n  # text\n\nb: 1\n", "a: |⏎  text⏎  # text"),
        ("# landbridge: x\na:\nb: 1\n", "a"),
        ("a: [\n  # landbridge: x\n  {b: 1, c: 2}, d]\n", "{b: 1, c: 2}"),
        ("a: {\n  # landbridge: x\n  b: 1, c: 2}\n", "b: 1"),
        ("a:\n  # landbridge: x\n  {b: 1, c: 2}\nd: 1\n", "{b: 1, c: 2}"),
        ("a:\n  # landbridge: x\n  text\nd: 1\n", "text"),
        ("a:\n  b: 1\n  # landbridge: x\nc: 2\n", "c: 2"),
        ("# landbridge: x\n---\na: 1\nb: 2\n---\nc: 3\n", "---⏎a: 1⏎b: 2"),
        ("a: 1\n# landbridge: x\n---\nb: 2\nc: 3\n...\n", "---⏎b: 2⏎c: 3"),
        ("---\n# landbridge: x\na: 1\nb: 2\n", "a: 1"),
        ("# landbridge: x\n%YAML 1.2\n---\na: 1\n", "%YAML 1.2⏎---⏎a: 1"),
        ("a: [b,\n  # landbridge: x\n]\nc: 1\n", "nothing"),
        ("a: 1\n# landbridge: x\n", "nothing"),
        ("# landbridge: x\n", "nothing"),
        ("# landbridge: x\n---\n", "---"),
    ] {
        let shown = |text: String| text.split('⏎').map(str::trim).collect::<Vec<_>>().join("⏎");
        assert_eq!(shown(about(text)), shown(expected.to_owned()), "{text}");
        assert_eq!(
            shown(about(&text.replace('\n', "\r\n")).replace("⏎⏎", "⏎")),
            shown(expected.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn several_comments_share_what_follows() {
    let all =
        read("# landbridge: x # landbridge: y\n# landbridge: z\na: 1\nb: 2 # landbridge: w\n");
    let said: Vec<_> = all.iter().map(|(said, _)| said.as_str()).collect();
    assert_eq!(said, ["# landbridge: x", "# landbridge: y", "# landbridge: z", "# landbridge: w"]);
    assert!(all[..3].iter().all(|(_, about)| about.ends_with("a: 1")), "{all:?}");
}

#[test]
fn what_is_no_comment_to_landbridge_is_passed_over() {
    for text in [
        "a: |\n  # landbridge: x\n",
        "a: |\n\n   # landbridge: x\n    # landbridge: x\n",
        "a: >-\n  b\n  # landbridge: x\nc: 1\n",
        "a: \"# landbridge: x\"\n",
        "a: \"b\n  # landbridge: x\"\n",
        "a: ' # landbridge: x'\n",
        "a: b# landbridge: x\n",
        "a: b\n# a: 1 # landbridge: x\nc: d\n",
        "# say `# landbridge: x`\na: b\n",
        "# landbridge.yaml: x\na: b\n",
        "# landbridge allows that\na: b\n",
        "# a landbridge: x\na: b\n",
        "a: [1\n# landbridge: x\n---\nb: 1\n",
    ] {
        assert_eq!(read(text), [], "{text}");
    }
    for text in ["#landbridge:x\n", "##\tLandBridge : x\n", "# landbridge allow (x)\n"] {
        assert_eq!(read(text).len(), 1, "{text}");
    }
}

#[test]
fn what_is_broken_does_not_hide_the_next_document() {
    let text = "a: 1 # landbridge: x\nb: [\n--- # landbridge: y\nb: 2 # landbridge: z\n";
    assert_eq!(read(text).last().unwrap().1, "b: 2 # landbridge: z");
}

/// The parser's own comments, which it gives where there are few.
fn oracle(text: &str) -> Option<Vec<String>> {
    let mut comments = Vec::new();
    for event in Parser::new_from_str(text) {
        if let (Event::Comment(said, _), _) = event.ok()? {
            comments.push(format!("#{said}"));
        }
    }
    Some(comments)
}

#[test]
fn the_parser_sees_the_same_comments() {
    let pieces = [
        "a: ",
        "- ",
        "? ",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        " # landbridge: x\n",
        "# landbridge: y",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "b",
        "&c ",
        "*c",
        "!d ",
        "---\n",
        " ",
        "\t",
        "\r\n",
        "...\n",
        "é",
    ];
    let (mut seed, mut compared) = (1_u64, 0);
    for _ in 0..50_000 {
        let mut text = String::new();
        for _ in 0..12 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        let Some(comments) = oracle(&text) else { continue };
        let whole = comments.concat();
        if comments.iter().any(|comment| comment.matches('#').count() > 1) {
            continue;
        }
        let read: Vec<_> = read(&text).into_iter().map(|(said, _)| said).collect();
        let expected: Vec<_> = comments.iter().map(|comment| comment.trim().to_owned()).collect();
        assert_eq!(read, expected, "{text:?}");
        compared += usize::from(!whole.is_empty());
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn many_comments_take_near_linear_time() {
    let mut text = String::new();
    for number in 0..50_000 {
        writeln!(text, "# landbridge: x").unwrap();
        writeln!(text, "k{number}: [1] # landbridge: y").unwrap();
    }
    assert_eq!(read(&text).len(), 100_000);
    let mut sources = SourceMap::new();
    for hostile in [
        "# landbridge: ".repeat(200_000),
        format!("a: 1 {}\n", "# landbridge: ".repeat(100_000)),
        format!("{}a: 1\n", "# landbridge: x\n".repeat(100_000)),
        format!("a: [{}]\n", "{b: # landbridge: x\n 1},".repeat(50_000)),
        format!("a: |\n{}", "  # landbridge: x\n".repeat(100_000)),
        "# ".repeat(1_000_000),
        "#".repeat(1_000_000),
        format!("{}#landbridge:", " ".repeat(1_000_000)),
    ] {
        let id = sources.add("a.yaml", hostile);
        remarks(&sources, id);
    }
}
