import { useState } from 'react';
import { Entry } from './Entry.jsx';
import { Notes } from './Notes.jsx';
import { Person } from './Person.jsx';
import { call, claims, forget } from './session.js';

export function App() {
  const [me, setMe] = useState(claims());
  if (!me) return <Entry onEntered={() => setMe(claims())} />;
  const leave = async () => {
    await call('POST', '/logout').catch(() => {});
    forget();
    setMe(undefined);
  };
  const [, page, id] = location.pathname.split('/');
  return (
    <>
      <header>
        <a href="/">Notewell</a>
        <nav>
          <a href={`/people/${me.sub}`}>{me.name}</a>
          <button onClick={leave}>Log out</button>
        </nav>
      </header>
      <main>{page === 'people' ? <Person id={id} own={id === me.sub} /> : <Notes />}</main>
    </>
  );
}
