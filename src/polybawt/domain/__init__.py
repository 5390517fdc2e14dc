"""Values of the trading domain and their exact arithmetic. No IO, no clock, no policy."""
