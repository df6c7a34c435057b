// An application that makes the mistake of J04: it calls a personal page public.
import http from "node:http";

let answers = 0;

const server = http.createServer((request, response) => {
  answers += 1;
  const user = request.headers["x-auth-user"] ?? "nobody";
  response.setHeader("content-type", "text/plain");
  response.setHeader("cache-control", "public, max-age=600, s-maxage=600");
  response.setHeader("x-answer", String(answers));
  response.end(`${request.url} for ${user}\n`);
});
server.listen(Number(process.argv[2]), "127.0.0.1");
