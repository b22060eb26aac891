import { type FormEvent, type ReactElement, useId, useRef, useState } from "react";
import { expiryOf, tokenOf } from "./session.ts";

export interface SignInProps {
  /** Why: as the gateway says it. */
  readonly message: string;
  readonly signIn: (token: string) => void;
}

/** Ask for a token. It goes nowhere but to the gateway, in headers and messages, and dies with the tab. */
export function SignIn({ message, signIn }: SignInProps): ReactElement {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [trouble, setTrouble] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const token = tokenOf(field.current?.value ?? "");
    const wrong = objectionTo(token, Date.now());
    setTrouble(wrong);
    if (wrong === "") signIn(token);
    else field.current?.focus();
  };
  return (
    <form className="sign-in runtail" onSubmit={submit} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>Sign in</h2>
      <p className="sign-in-why" role="status">
        {trouble !== "" ? trouble : message}
      </p>
      <div className="sign-in-fields">
        <label htmlFor={id}>Token</label>
        <input ref={field} id={id} type="password" autoComplete="off" spellCheck={false} required aria-describedby={`${id}-help`} />
        <button type="submit" className="runtail-button runtail-primary">
          Sign in
        </button>
      </div>
      <p id={`${id}-help`} className="runtail-faint">
        An operator makes one with <code>runtail token --scope read</code>. This tab keeps it until it is closed, and no address ever holds it.
      </p>
    </form>
  );
}

function objectionTo(token: string, now: number): string {
  if (token.split(".").length !== 3) return "That is no token: it has three parts with dots between them.";
  const expiry = expiryOf(token);
  return expiry !== null && expiry <= now ? "That token has expired. Ask for a newer one." : "";
}
