import { useState } from 'react';
import { call, remember } from './session.js';

export function Entry({ onEntered }) {
  const [isNew, setNew] = useState(false);
  const [problem, setProblem] = useState('');
  const enter = async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    try {
      const { token } = await call('POST', isNew ? '/signup' : '/login', fields);
      remember(token);
      onEntered();
    } catch (error) {
      setProblem(error.message);
    }
  };
  return (
    <main className="entry">
      <h1>Notewell</h1>
      <form onSubmit={enter}>
        {isNew && <label>Name <input name="name" autoComplete="name" required /></label>}
        <label>E-mail <input name="email" type="email" autoComplete="username" required /></label>
        <label>Password <input name="password" type="password" autoComplete={isNew ? 'new-password' : 'current-password'} required /></label>
        {problem && <p role="alert">{problem}</p>}
        <button>{isNew ? 'Sign up' : 'Log in'}</button>
      </form>
      <button className="link" onClick={() => setNew(!isNew)}>{isNew ? 'I have an account' : 'I am new here'}</button>
    </main>
  );
}
