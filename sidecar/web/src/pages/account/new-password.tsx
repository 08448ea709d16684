// A new password, twice.

import { TextField } from "../../ui/field";

export const SHORTEST = 12;
export const LONGEST = 1024;

/** Whether a password can be set. */
export function fits(password: string, again: string): boolean {
  const length = [...password].length;
  return length >= SHORTEST && length <= LONGEST && password === again;
}

export function NewPassword(props: {
  password: string;
  again: string;
  onPassword: (password: string) => void;
  onAgain: (again: string) => void;
}) {
  const { password, again } = props;
  const differs = again !== "" && !password.startsWith(again) ? "The two are not the same." : undefined;
  return (
    <>
      <TextField
        label="New password"
        type="password"
        name="new-password"
        autocomplete="new-password"
        hint={`At least ${SHORTEST} characters. A password manager makes the best ones.`}
        value={password}
        onValue={props.onPassword}
        maxLength={LONGEST}
        required
      />
      <TextField
        label="The same again"
        type="password"
        name="new-password-again"
        autocomplete="new-password"
        error={differs}
        value={again}
        onValue={props.onAgain}
        maxLength={LONGEST}
        required
      />
    </>
  );
}
