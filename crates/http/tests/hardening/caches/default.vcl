# A cache that keeps what the answer allows, also for requests with cookies: Varnish itself would not.
vcl 4.1;
backend site { .host = "127.0.0.1"; .port = "{site}"; }
sub vcl_recv {
    set req.http.Host = "app.countersign.test";
    set req.http.X-Forwarded-Proto = "https";
    if (req.method == "GET") { return (hash); }
}
sub vcl_deliver {
    if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } else { set resp.http.X-Cache = "MISS"; }
}
