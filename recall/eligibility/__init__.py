"""The only place that decides whether a patient may be contacted."""
