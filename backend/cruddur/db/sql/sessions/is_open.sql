SELECT EXISTS (SELECT FROM signed_in(:viewer, :session))
