import { useEffect, useState } from 'react';
import { call } from './session.js';

export function Notes() {
  const [notes, setNotes] = useState();
  const [problem, setProblem] = useState('');
  const load = () => call('GET', '/notes').then((said) => setNotes(said.notes), (error) => setProblem(error.message));
  useEffect(() => { load(); }, []);
  const add = async (event) => {
    event.preventDefault();
    const form = event.target;
    await call('POST', '/notes', Object.fromEntries(new FormData(form))).catch((error) => setProblem(error.message));
    form.reset();
    load();
  };
  const remove = (id) => call('GET', `/notes/${id}/delete`).then(load);
  return (
    <>
      <h1>Your notes</h1>
      {problem && <p role="alert">{problem}</p>}
      <form className="row" onSubmit={add}>
        <input name="text" aria-label="A new note" placeholder="Write something down" required />
        <button>Keep</button>
      </form>
      <ul>
        {notes?.map((note) => (
          <li key={note.id}>
            <span>{note.text}</span>
            <button onClick={() => remove(note.id)} aria-label={`Delete: ${note.text}`}>×</button>
          </li>
        ))}
      </ul>
      {notes?.length === 0 && <p>Nothing yet.</p>}
    </>
  );
}
