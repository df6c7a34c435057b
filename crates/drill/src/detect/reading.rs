//! Which addresses may be read without leave to change anything.
//!
//! A GET may act: `/cart/clear`, `/account/close`, `/orders/7/pay`. No list of changing words is ever complete, so this is a list of what
//! is known to read: a path is asked only if every word in it stands here.

/// Words that name things and cannot be taken for an order to do something.
const NOUNS: &str = "account activity address admin album announcement answer api app article asset attachment audience author avatar \
    balance banner basic billing biography blog board book brand calendar card cart catalog catalogue category channel chapter city \
    client code collection company config configuration contact content context contract conversation count country course csrf \
    currency current customer dashboard data database date datum day detail device directory doc document domain driver email \
    employee entry environment error event faq favorite favourite feature feed field file folder forum friend gallery game group \
    guestbook health healthz help history home hour html id identity image inbox index info information integration inventory \
    invoice issue item job json key label lang language lesson level library license limit list locale location log member \
    membership menu meta metadata method metric mobile month name network news note notice notification number object option \
    organisation organization owner page parameter patient people permission person phone photo picture place plan player playlist \
    policy portal preference price product profile project property public quote quota rating recipe record region resource \
    response rest result review role room rota row rule salary sale scope self sensor server service session setting site \
    space staff star stat state statistic stats status stock store story student subject subscription summary supplier survey table \
    tag task tax team template tenant term text thread ticket time timeline timezone title today todo token topic transaction type \
    unread url usage user username v value vehicle vendor version video view viewer visitor wallet warehouse week whoami widget wiki \
    word workspace xsrf year me my mine all by for of the and latest recent overview userinfo openid well known antiforgery";

/// Words that name things only where there are several: `/orders` is a list, `/order` may order.
const ONLY_SEVERAL: &str = "alerts answers bookmarks clients comments exports files forms lists logs messages notes offers orders pages \
    payments plans posts records reports requests returns reviews schedules shifts shares transfers views visits votes works";

/// Words that stand among the nouns and are also orders, where they stand alone at the end.
const AMBIGUOUS: &str = "book contact content count date detail doc document file help image index issue key label level limit list log name note \
    notice number object page phone photo place plan project quote record review rule star stock store subject survey table tag task \
    team text ticket time title type view work";

/// Whether every word of a path is known to read; numbers are neutral, and so is `v2`. A query is never known to.
pub(super) fn reads(path: &str) -> bool {
    let mut words = words(path);
    let Some(last) = words.pop() else { return false };
    let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
    let version = |word: &str| word.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && is_number(rest));
    let listed = |list: &str, word: &str| list.split_ascii_whitespace().any(|known| known == word);
    let names = |word: &str| {
        listed(NOUNS, word)
            || listed(ONLY_SEVERAL, word)
            || word.strip_suffix('s').is_some_and(|one| listed(NOUNS, one))
            || word.strip_suffix("ies").is_some_and(|stem| listed(NOUNS, &format!("{stem}y")))
            || word.strip_suffix("es").is_some_and(|one| listed(NOUNS, one))
    };
    // `/items/7/star` stars, `/keys` and `/key` on their own segment's first level read.
    let after_an_id = words.last().is_some_and(|before| is_number(before));
    !path.contains(['?', '#', '%'])
        && words.iter().all(|word| is_number(word) || version(word) || names(word))
        && (names(&last) || is_number(&last) && !words.is_empty())
        && !(after_an_id && listed(AMBIGUOUS, &last))
}

/// Lower-case words and numbers: `/api/userProfile/7` is `api`, `user`, `profile`, `7`.
fn words(path: &str) -> Vec<String> {
    let mut apart = String::new();
    let mut before = '/';
    for c in path.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            apart.push(' ');
        }
        apart.push(c.to_ascii_lowercase());
        before = c;
    }
    let words = apart.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn only_what_is_known_to_read() {
        for path in [
            "/api/me",
            "/api/v1/users/me",
            "/api/userProfile",
            "/api/categories",
            "/orders",
            "/orders/7",
            "/notes",
            "/api/key",
            "/account/api-keys",
            "/wiki/pages",
            "/csrf-token",
        ] {
            assert!(reads(path), "{path}");
        }
        for path in [
            "/api/account/close",
            "/cart/clear",
            "/orders/7/pay",
            "/trash/empty",
            "/api/cart/clear",
            "/delete/account",
            "/lager/7/leeren",
            "/items/7/star",
            "/order",
            "/api/closeAccount",
            "/users/me?delete=1",
            "/account/%63lose",
            "/logout",
            "/auth/keys/rotate",
            "/",
            "/7",
        ] {
            assert!(!reads(path), "{path}");
        }
    }
}
