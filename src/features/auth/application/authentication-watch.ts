/** Port: hears how the authentication of each request ended. A credential is the value of its header. */
export abstract class AuthenticationWatch {
  abstract accepted(credential: string | undefined): void;
  abstract refused(address: string | undefined, credential: string | undefined): void;
}
