use super::*;
use crate::domain::id::Epoch;
use crate::domain::user::Email;

const DAY: Duration = Duration::from_secs(86_400);

fn scope(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn addresses(list: &[&str]) -> AddressList {
    AddressList::parse(list.iter().copied()).unwrap()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn owner(scopes: &str) -> User {
    User {
        id: UserId::from_random([1; 16]),
        email: Email::parse("ada@example.com").unwrap(),
        email_verified: true,
        scope: scope(scopes),
        epoch: Epoch(1),
        password: None,
        created_at: at(0),
        disabled_at: None,
    }
}

fn held(granted: &str, owned: &str) -> HeldKey {
    let owner = owner(owned);
    let key = ApiKey {
        id: ApiKeyId::from_bytes([7; 12]),
        owner: owner.id.clone(),
        name: KeyName::parse("ci").unwrap(),
        hash: [0; 32],
        last4: "abcd".into(),
        scope: scope(granted),
        addresses: AddressList::default(),
        created_at: at(0),
        expires_at: at(1000),
        revoked_at: None,
        last_used_at: None,
        networks: Vec::new(),
    };
    HeldKey { key, owner }
}

#[test]
fn ids_as_text() {
    let id = ApiKeyId::from_bytes([0xff; 12]);
    assert_eq!(ApiKeyId::parse(&id.to_string()), Some(id));
    assert_eq!(ApiKeyId::from_bytes([0; 12]).to_string().len(), 17);
    for bad in ["", "0", "0000000000000000-", "zzzzzzzzzzzzzzzzz", "000000000000000000"] {
        assert_eq!(ApiKeyId::parse(bad), None, "{bad}");
    }
}

/// G04: a key shrinks with its owner and never has more; what an operator gave to the machine stays.
#[test]
fn g04_never_above_the_owner() {
    assert_eq!(held("read write", "read write admin").scope(), scope("read write"));
    assert_eq!(held("read write", "read").scope(), scope("read"));
    assert_eq!(held("read", "").scope(), scope(""));
    assert_eq!(held("", "admin").scope(), scope(""), "default: none");
    assert_eq!(held("introspect read", "").scope(), scope("introspect"));
    assert_eq!(held("read", "read introspect").scope(), scope("read"), "an owner's scope is not the key's");
}

/// G04, G05, G08: each reason alone is enough.
#[test]
fn g05_g08_refusals() {
    let good = held("read", "read");
    assert_eq!(good.judge(None, at(999)), Ok(()));
    assert_eq!(good.judge(None, at(1000)), Err(KeyRefusal::Expired));
    let mut revoked = good.clone();
    revoked.key.revoked_at = Some(at(5));
    assert_eq!(revoked.judge(None, at(1)), Err(KeyRefusal::Revoked));
    let mut disabled = good.clone();
    disabled.owner.disabled_at = Some(at(5));
    assert_eq!(disabled.judge(None, at(1)), Err(KeyRefusal::OwnerDisabled));
    let mut bound = good;
    bound.key.addresses = addresses(&["192.0.2.0/24"]);
    assert_eq!(bound.judge("192.0.2.9".parse().ok(), at(1)), Ok(()));
    assert_eq!(bound.judge("192.0.3.9".parse().ok(), at(1)), Err(KeyRefusal::Address));
    assert_eq!(bound.judge(None, at(1)), Err(KeyRefusal::Address), "nobody knows from where");
}

/// G04: a list of addresses, in every spelling of an address.
#[test]
fn g04_addresses() {
    let list = addresses(&["192.0.2.77/24", " 2001:db8::/32", "198.51.100.1"]);
    for good in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "198.51.100.1"] {
        assert!(list.admits(good.parse().ok()), "{good}");
    }
    for bad in ["192.0.3.1", "2001:db9::1", "198.51.100.2"] {
        assert!(!list.admits(bad.parse().ok()), "{bad}");
    }
    assert!(AddressList::default().admits(None));
    for bad in ["", "x", "192.0.2.0/33", "192.0.2", "example.com"] {
        assert!(AddressList::parse([bad]).is_err(), "{bad:?}");
    }
    assert!(AddressList::parse(std::iter::repeat_n("192.0.2.1", 65)).is_err());
}

/// G04: no scope that the owner or the owner's session lacks, and none of the machines' by an owner.
#[test]
fn g04_grants() {
    let policy = ApiKeyPolicy::default();
    let owner = owner("read write introspect");
    let everything = scope("read write admin introspect");
    let by_owner = Grantor::Owner { session: &everything };
    let none = AddressList::default();
    let grant = |wanted: &str, addresses: &AddressList, by| {
        policy.grant(&scope(wanted), addresses, (at(0), at(100)), &owner, by)
    };
    assert_eq!(grant("", &none, by_owner), Ok(()));
    assert_eq!(grant("read write", &none, by_owner), Ok(()));
    assert_eq!(grant("read admin", &none, by_owner), Err(GrantError::BeyondOwner(scope("admin"))));
    assert_eq!(grant("read admin", &none, Grantor::Operator), Err(GrantError::BeyondOwner(scope("admin"))));
    let narrow = scope("read");
    let narrowed = Grantor::Owner { session: &narrow };
    assert_eq!(grant("write", &none, narrowed), Err(GrantError::BeyondOwner(scope("write"))));
    for machine in MachineScope::ALL {
        let name = machine.as_str();
        let refused = GrantError::OperatorsOnly(scope(name));
        assert_eq!(grant(name, &addresses(&["192.0.2.1"]), by_owner), Err(refused), "{name}");
    }
    assert_eq!(grant("introspect revoke read", &none, Grantor::Operator), Ok(()));
    let some = addresses(&["192.0.2.1"]);
    assert_eq!(grant("sessions:open", &some, Grantor::Operator), Ok(()));
    for (wanted, list) in
        [("sessions:open", &none), ("sessions:open introspect", &some), ("sessions:open read", &some)]
    {
        assert_eq!(grant(wanted, list, Grantor::Operator), Err(GrantError::OpenSessionsAlone), "{wanted}");
    }
}

/// G05: an expiry in the future, within the maximum.
#[test]
fn g05_expiry() {
    let policy = ApiKeyPolicy { max_ttl: 2 * DAY, max_per_user: 1 };
    let grant = |expires: Timestamp| {
        let (none, owner) = (ScopeSet::default(), owner(""));
        policy.grant(&none, &AddressList::default(), (at(50), expires), &owner, Grantor::Operator).is_ok()
    };
    assert!(!grant(at(49)) && !grant(at(50)) && grant(at(51)));
    assert!(grant(at(50).plus(2 * DAY)) && !grant(at(51).plus(2 * DAY)));
}

#[test]
fn names() {
    assert_eq!(KeyName::parse("  build server ").unwrap().as_str(), "build server");
    for bad in ["", "   ", "a\nb", &"x".repeat(65)] {
        assert!(KeyName::parse(bad).is_none(), "{bad:?}");
    }
}
