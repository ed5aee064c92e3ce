/** What the verbs need that name a program. */
export const toOpenProgram =
  'none for a program that is named by its pin; CAP_SYS_ADMIN to name it by its id, name or tag';
