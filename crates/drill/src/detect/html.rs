//! As much of HTML as it takes to find forms, links and scripts. Tolerant, and bounded by the length of the page.

/// A form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// `action`, as written; empty for the page itself.
    pub action: String,
    /// In upper case.
    pub method: String,
    /// Fields in order.
    pub fields: Vec<Field>,
}

/// A field of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// `name`.
    pub name: String,
    /// `type` in lower case; `text` if there is none.
    pub kind: String,
    /// `value`.
    pub value: String,
}

impl Form {
    /// The names of its password fields.
    #[must_use]
    pub fn passwords(&self) -> Vec<&str> {
        self.fields.iter().filter(|field| field.kind == "password").map(|field| &*field.name).collect()
    }

    /// The field in which the name or address is typed: the last text field before the password.
    #[must_use]
    pub fn user(&self) -> Option<&Field> {
        let password = self.fields.iter().position(|field| field.kind == "password")?;
        let typed =
            |field: &&Field| matches!(&*field.kind, "text" | "email" | "tel") && !field.name.is_empty();
        let before = self.fields.iter().take(password).rev().find(typed);
        before.or_else(|| self.fields.iter().find(typed))
    }

    /// The values that a browser would send without anybody typing.
    #[must_use]
    pub fn untouched(&self) -> Vec<(String, String)> {
        let sent = |field: &&Field| {
            !field.name.is_empty()
                && !matches!(
                    &*field.kind,
                    "submit" | "button" | "checkbox" | "radio" | "file" | "image" | "reset"
                )
        };
        self.fields.iter().filter(sent).map(|field| (field.name.clone(), field.value.clone())).collect()
    }
}

/// What a page holds.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Forms.
    pub forms: Vec<Form>,
    /// `href` of links.
    pub links: Vec<String>,
    /// `src` of scripts.
    pub scripts: Vec<String>,
    /// Text of inline scripts.
    pub inline: String,
    /// `<meta name=… content=…>`.
    pub metas: Vec<(String, String)>,
}

impl Page {
    /// Reads a page.
    #[must_use]
    pub fn read(html: &str) -> Self {
        let mut page = Self::default();
        let mut form: Option<Form> = None;
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            rest = rest.get(at + 1..).unwrap_or_default();
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = comment.find("-->").and_then(|end| comment.get(end + 3..)).unwrap_or_default();
                continue;
            }
            let (tag, after) = Tag::read(rest);
            rest = after;
            match &*tag.name {
                "form" => {
                    page.forms.extend(form.take());
                    let method = tag.value("method").unwrap_or("get").to_ascii_uppercase();
                    let action = tag.value("action").unwrap_or_default().to_owned();
                    form = Some(Form { action, method, fields: Vec::new() });
                }
                "/form" => page.forms.extend(form.take()),
                "input" | "textarea" | "select" | "button" => {
                    let kind = match &*tag.name {
                        "input" => tag.value("type").unwrap_or("text").to_ascii_lowercase(),
                        "button" => "button".to_owned(),
                        other => other.to_owned(),
                    };
                    let text = |name| tag.value(name).unwrap_or_default().to_owned();
                    let field = Field { name: text("name"), kind, value: text("value") };
                    if let Some(form) = &mut form {
                        form.fields.push(field);
                    }
                }
                "a" => page.links.extend(tag.value("href").map(str::to_owned)),
                "meta" => {
                    if let (Some(name), Some(content)) = (tag.value("name"), tag.value("content")) {
                        page.metas.push((name.to_owned(), content.to_owned()));
                    }
                }
                "script" => {
                    page.scripts.extend(tag.value("src").map(str::to_owned));
                    let end = rest.find("</script").unwrap_or(rest.len());
                    page.inline.push_str(rest.get(..end).unwrap_or_default());
                    page.inline.push('\n');
                    rest = rest.get(end..).unwrap_or_default();
                }
                _ => {}
            }
        }
        page.forms.extend(form);
        page
    }

    /// Forms in which one password is asked for: not those in which one is chosen, with a second field to repeat it.
    pub fn login_forms(&self) -> impl Iterator<Item = &Form> {
        self.forms.iter().filter(|form| form.passwords().len() == 1 && form.user().is_some())
    }
}

#[derive(Debug, Default)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn value(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(given, _)| given == name).map(|(_, value)| &**value)
    }

    /// The tag that text begins with, behind its `<`, and what follows it.
    fn read(text: &str) -> (Self, &str) {
        let end = text.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(text.len());
        let name = text.get(..end).unwrap_or_default().trim_end_matches('/').to_ascii_lowercase();
        let mut tag = Self { name, attributes: Vec::new() };
        let mut rest = text.get(end..).unwrap_or_default();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                return (tag, after);
            }
            if rest.is_empty() {
                return (tag, rest);
            }
            let end = rest
                .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
                .unwrap_or(rest.len())
                .max(1);
            // A name of its own length at least, so that the loop ends; never inside a character.
            let end = rest.ceil_char_boundary(end);
            let name = rest.get(..end).unwrap_or_default().to_ascii_lowercase();
            rest = rest.get(end..).unwrap_or_default();
            let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
            let Some(value) = value else {
                tag.attributes.push((name, String::new()));
                continue;
            };
            let (value, after) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let inside = value.get(1..).unwrap_or_default();
                    inside.split_once(quote).unwrap_or((inside, ""))
                }
                _ => {
                    let end = value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len());
                    value.split_at_checked(end).unwrap_or((value, ""))
                }
            };
            tag.attributes.push((name, unescape(value)));
            rest = after;
        }
    }
}

/// Character references that stand in attributes.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let end = from.find(';').filter(|end| *end <= 10);
        let named = end.and_then(|end| from.get(1..end)).and_then(reference);
        match (named, end) {
            (Some(character), Some(end)) => {
                out.push(character);
                rest = from.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(hex.get(1..)?, 16),
            digits => number(digits, 10),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!doctype html><!-- <form action=/no> --><meta name="csrf-token" content="abc">
        <script src=/main.js></script><script>fetch("/api/x") // <form action="/neither">
        </script>
        <a href="/log&#x6f;ut">x</a>
        <form method=post action='/login?next=/a&amp;b=1'><input type="hidden" name="_csrf" value="t&quot;1">
          <input name=user><input type=PASSWORD name="pw"/><button name=go value=1>in</button></form>
        <form><input type=password name=a><input type=password name=b></form>"#;

    #[test]
    fn forms_links_and_scripts() {
        let page = Page::read(PAGE);
        assert_eq!(page.forms.len(), 2);
        let form = page.login_forms().next().unwrap();
        assert_eq!((&*form.action, &*form.method), ("/login?next=/a&b=1", "POST"));
        assert_eq!((form.passwords(), &*form.user().unwrap().name), (vec!["pw"], "user"));
        let sent: Vec<_> = form.untouched();
        assert_eq!(sent.first().unwrap(), &("_csrf".to_owned(), "t\"1".to_owned()));
        assert!(!sent.iter().any(|(name, _)| name == "go"));
        assert_eq!((page.links.len(), page.scripts.len(), page.metas.len()), (1, 1, 1));
        assert_eq!(page.links[0], "/logout");
        assert!(page.inline.contains("/api/x"));
    }

    #[test]
    fn broken_pages_end() {
        for text in
            ["<", "<form", "<form a", "<form a=", "<form a='", "<a é=é", "<!--", "<script>", "<input =", "<é"]
        {
            let _page = Page::read(text);
        }
    }
}
