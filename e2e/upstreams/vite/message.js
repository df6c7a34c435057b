export const message = "first text";
