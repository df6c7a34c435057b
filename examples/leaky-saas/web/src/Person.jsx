import { useEffect, useState } from 'react';
import { call } from './session.js';

export function Person({ id, own }) {
  const [person, setPerson] = useState();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    call('GET', `/people/${id}`).then((said) => setPerson(said.user), (error) => setProblem(error.message));
  }, [id]);
  const save = async (event) => {
    event.preventDefault();
    const { user } = await call('PUT', '/me', Object.fromEntries(new FormData(event.target)));
    setPerson(user);
  };
  if (problem) return <p role="alert">{problem}</p>;
  if (!person) return <p>…</p>;
  return (
    <>
      <h1>{person.name}</h1>
      {/* MISTAKE script-hole: what one person writes runs in the browser of whoever looks. */}
      <div className="biography" dangerouslySetInnerHTML={{ __html: person.biography || '<em>Says nothing about themselves.</em>' }} />
      {own && (
        <form onSubmit={save}>
          <label>About you (HTML is fine) <textarea name="biography" defaultValue={person.biography} rows="5" /></label>
          <button>Save</button>
        </form>
      )}
    </>
  );
}
