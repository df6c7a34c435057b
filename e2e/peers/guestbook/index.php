<?php
// A guest book of server-rendered pages, vulnerable on purpose: never put it on the internet.
// Each MISTAKE is listed in mistakes.json. Serves every path; DATA is the folder of its file and its sessions.

const MONTH = 30 * 24 * 3600;
$file = getenv('DATA') . '/guestbook.json';

/** Changes the file under a lock: `$work` gets its content by reference; its answer is given back. */
function with_data(callable $work)
{
    global $file;
    $handle = fopen($file, 'c+');
    flock($handle, LOCK_EX);
    $data = json_decode(stream_get_contents($handle), true) ?: begin();
    $before = json_encode($data);
    $answer = $work($data);
    $after = json_encode($data);
    if ($after !== $before || ftell($handle) === 0) {
        rewind($handle);
        ftruncate($handle, 0);
        fwrite($handle, $after);
        fflush($handle);
    }
    fclose($handle);
    return $answer;
}

function begin(): array
{
    $people = [];
    foreach (json_decode(file_get_contents(__DIR__ . '/accounts.json'), true) as $account) {
        $people[$account['login']] = [
            'hash' => password_hash($account['password'], PASSWORD_BCRYPT, ['cost' => 8]),
            'mail' => $account['login'] . '@example.com',
        ];
    }
    return ['people' => $people, 'entries' => [], 'next' => 1];
}

function html(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES);
}

function page(string $title, string $body, int $status = 200): void
{
    http_response_code($status);
    header('Content-Type: text/html; charset=utf-8');
    // MISTAKE cache-poisoning: whoever fills a cache first decides where everybody's links lead.
    $host = $_SERVER['HTTP_X_FORWARDED_HOST'] ?? $_SERVER['HTTP_HOST'];
    echo '<!doctype html><html lang="en"><meta charset="utf-8"><title>' . html($title) . '</title>'
        . '<link rel="canonical" href="http://' . html($host) . html($_SERVER['REQUEST_URI']) . '">'
        . '<nav><a href="/">Guest book</a> <a href="/me.php">You</a> <a href="/signin.php">Sign in</a> '
        . '<a href="/signout.php">Sign out</a></nav><main><h1>' . html($title) . '</h1>' . $body . '</main></html>';
}

function go(string $where): void
{
    http_response_code(302);
    header('Location: ' . $where);
}

ini_set('session.save_path', getenv('DATA'));
// MISTAKE session-fixation: an id that we never gave out is taken, and signing in does not change it.
ini_set('session.use_strict_mode', '0');
// MISTAKE session-in-url: also from the address, where it lands in logs and Referer headers.
ini_set('session.use_only_cookies', '0');
// MISTAKE long-lived-session: thirty days, and each visit begins them anew.
ini_set('session.cookie_lifetime', (string) MONTH);
ini_set('session.gc_maxlifetime', (string) MONTH);
ini_set('session.cache_limiter', '');
// MISTAKE cookie-flags: as PHP's defaults leave them, neither HttpOnly nor Secure nor SameSite.
session_start();

// MISTAKE header-spoofing: meant for a proxy that is not there.
$user = $_SERVER['HTTP_X_USER'] ?? $_SESSION['user'] ?? null;
$person = $user === null ? null : with_data(fn (&$data) => $data['people'][$user] ?? null);
if ($person === null) {
    $user = null;
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$method = $_SERVER['REQUEST_METHOD'];

switch ("$method $path") {
    case 'GET /':
        $entries = with_data(fn (&$data) => $data['entries']);
        $shown = '';
        foreach ($entries as $entry) {
            $own = $entry['by'] === $user ? " <a href=\"/delete.php?id={$entry['id']}\">delete</a>" : '';
            // MISTAKE script-hole: what others wrote is shown as HTML.
            $shown .= '<li><b>' . html($entry['by']) . '</b>: ' . $entry['text'] . $own . '</li>';
        }
        // MISTAKE csrf: the form carries nothing that another site could not send.
        page('Guest book', "<ul>$shown</ul><form method=\"post\" action=\"/sign.php\">"
            . '<label>Your words <textarea name="text"></textarea></label><button>Sign</button></form>'
            . '<form action="/search.php"><label>Search <input name="q"></label><button>Find</button></form>');
        break;

    case 'GET /signin.php':
        // MISTAKE login-csrf: nor does this one.
        page('Sign in', '<form method="post" action="/signin.php"><label>User <input name="user"></label>'
            . '<label>Password <input type="password" name="pw"></label>'
            . '<input type="hidden" name="next" value="' . html($_GET['next'] ?? '/me.php') . '"><button>Sign in</button></form>');
        break;

    case 'POST /signin.php':
        // MISTAKE no-throttle: as many guesses as one likes.
        $name = (string) ($_POST['user'] ?? '');
        $found = with_data(fn (&$data) => $data['people'][$name] ?? null);
        if ($found === null) {
            // MISTAKE enumeration: says which names have an account.
            page('Sign in', '<p>There is no user of that name. <a href="/signin.php">Again</a></p>', 401);
        } elseif (!password_verify((string) ($_POST['pw'] ?? ''), $found['hash'])) {
            page('Sign in', '<p>That is not the password. <a href="/signin.php">Again</a></p>', 401);
        } else {
            $_SESSION['user'] = $name;
            // MISTAKE open-redirect: on to wherever the link said.
            go($_POST['next'] ?? '/me.php');
        }
        break;

    case 'GET /signout.php':
        // MISTAKE logout-forgets-nothing: the browser drops its copy; the session lives on.
        setcookie(session_name(), '', 1, '/');
        go('/');
        break;

    case 'GET /me.php':
        if ($user === null) {
            go('/signin.php?next=/me.php');
            break;
        }
        // MISTAKE shared-cache: a cache in front shows one person's page to the next.
        header('Cache-Control: public, max-age=300');
        page('You', '<p>Signed in as <b id="user">' . html($user) . '</b>, ' . html($person['mail']) . '.</p>'
            . '<form method="post" action="/me.php"><label>Mail <input name="mail" type="email"></label><button>Change</button></form>');
        break;

    case 'POST /me.php':
        if ($user === null) {
            go('/signin.php');
            break;
        }
        // MISTAKE no-step-up: the address changes without asking who is there.
        with_data(function (&$data) use ($user) {
            $data['people'][$user]['mail'] = (string) ($_POST['mail'] ?? '');
        });
        go('/me.php');
        break;

    case 'GET /me.json':
        // MISTAKE cors-reflection: whoever asks may read the answer, with credentials.
        if (isset($_SERVER['HTTP_ORIGIN'])) {
            header('Access-Control-Allow-Origin: ' . $_SERVER['HTTP_ORIGIN']);
            header('Access-Control-Allow-Credentials: true');
        }
        header('Content-Type: application/json');
        http_response_code($user === null ? 401 : 200);
        echo json_encode($user === null ? ['error' => 'sign in first'] : ['user' => $user, 'mail' => $person['mail']]);
        break;

    case 'POST /sign.php':
        if ($user === null) {
            go('/signin.php');
            break;
        }
        with_data(function (&$data) use ($user) {
            $data['entries'][] = ['id' => $data['next']++, 'by' => $user, 'text' => (string) ($_POST['text'] ?? '')];
        });
        go('/');
        break;

    case 'GET /delete.php':
        // MISTAKE state-changing-get: a link, an image or a prefetch deletes.
        with_data(function (&$data) use ($user) {
            $goes = fn ($entry) => $entry['id'] === (int) ($_GET['id'] ?? 0) && $entry['by'] === $user;
            $data['entries'] = array_values(array_filter($data['entries'], fn ($entry) => !$goes($entry)));
        });
        go('/');
        break;

    case 'GET /search.php':
        $words = (string) ($_GET['q'] ?? '');
        $found = with_data(fn (&$data) => array_filter($data['entries'], fn ($entry) => str_contains($entry['text'], $words)));
        page('Search', "<p>Searched for $words: " . count($found) . ' found.</p>');
        break;

    default:
        page('Not here', '<p>There is nothing at this address.</p>', 404);
}
