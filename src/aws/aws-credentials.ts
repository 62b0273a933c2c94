export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** After this, a function that returns credentials is called again. */
  expiration?: Date;
}
